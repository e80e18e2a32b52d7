using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// One image's Brownian path on [0, 1], found by halving intervals. Every value is a function of the seed and the time alone; the large
/// intervals around the last time are kept, so that a run in small steps draws only the small ones anew.
/// </summary>
internal sealed class BrownianPath(long seed, long[] shape) : IDisposable
{
    /// <summary>How often [0, 1] is halved.</summary>
    public const int Depth = 24;

    /// <summary>The width of the smallest intervals.</summary>
    public const double LeafWidth = 1.0 / (1 << Depth);

    /// <summary>How many halvings are kept, each a tensor: neighbouring steps of a run seldom share more of them.</summary>
    private const int Kept = 12;

    private readonly Stack<BrownianInterval> _around = new();
    private (double Clock, Tensor Value)[] _last = [];

    /// <summary>(W(to) − W(from))/√|to − from|, float32, for the caller to dispose.</summary>
    public Tensor Increment(double from, double to)
    {
        using var scope = NewDisposeScope();
        var (start, end) = (At(from), At(to));
        foreach (var (_, value) in _last)
        {
            if (!ReferenceEquals(value, start) && !ReferenceEquals(value, end))
            {
                value.Dispose();
            }
        }

        _last = [(from, start.DetachFromDisposeScope()), (to, end.DetachFromDisposeScope())];
        return (end - start).div_(Math.Sqrt(Math.Abs(to - from))).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (_, value) in _last)
        {
            value.Dispose();
        }

        _last = [];
        while (_around.TryPop(out var interval))
        {
            interval.Dispose();
        }
    }

    /// <summary>W at a time: one of the last two, which are kept, or a new tensor.</summary>
    private Tensor At(double clock)
    {
        foreach (var (time, value) in _last)
        {
            if (time == clock)
            {
                return value;
            }
        }

        using var scope = NewDisposeScope();
        var interval = SmallestKeptAround(clock);
        while (interval.Level < Depth)
        {
            interval = interval.Half(clock, Normal(interval.Node));
            if (interval.Level <= Kept)
            {
                interval.Keep();
                _around.Push(interval);
            }
        }

        return interval.At(clock, Normal(interval.Node)).MoveToOuterDisposeScope();
    }

    private BrownianInterval SmallestKeptAround(double clock)
    {
        while (_around.TryPeek(out var interval))
        {
            if (interval.Contains(clock))
            {
                return interval;
            }

            _around.Pop().Dispose();
        }

        var (start, end) = (zeros(shape, ScalarType.Float64), Normal(0)); // W(0) = 0, W(1) of variance 1
        var all = new BrownianInterval(0, 0, start, end, start, end);
        all.Keep();
        _around.Push(all);
        return all;
    }

    /// <summary>Standard normal noise that belongs to an interval, or to W(1).</summary>
    private Tensor Normal(long node)
    {
        using var generator = new Generator(SeedMixer.Mix(seed, SeedMixer.Purpose.BrownianNode, node), CPU);
        using var scope = NewDisposeScope();
        return randn(shape, ScalarType.Float32, generator: generator).to(ScalarType.Float64).MoveToOuterDisposeScope();
    }
}
