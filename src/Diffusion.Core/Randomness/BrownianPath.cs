using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// One image's Brownian path on [0, 1] as the sum of t·W(1) and of one tent for every interval that halving meets, each times noise that is
/// a function of the seed and the interval alone. The noise of large intervals around the last step is kept, and of the small ones their
/// sum, so that a run in small steps draws only the small ones around each new time.
/// </summary>
/// <remarks>Lévy's construction. No number as large as W itself is ever rounded: the weights of a step are subtracted first, in double precision.</remarks>
internal sealed class BrownianPath(long seed, long[] shape) : IDisposable
{
    /// <summary>How often [0, 1] is halved.</summary>
    public const int Depth = 24;

    /// <summary>The width of the smallest intervals.</summary>
    public const double LeafWidth = 1.0 / (1 << Depth);

    /// <summary>How many levels of intervals are large: neighbouring steps of a run seldom share smaller ones.</summary>
    private const int LargeLevels = 12;

    /// <summary>The number of the noise of W(1), among those of the intervals.</summary>
    private const long End = 0;

    private Dictionary<long, Tensor> _large = [];
    private (double Clock, Tensor Sum)[] _small = [];

    /// <summary>(W(to) − W(from))/√|to − from|, float32, for the caller to dispose.</summary>
    public Tensor Increment(double from, double to)
    {
        using var scope = NewDisposeScope();
        var (start, end) = (Small(from), Small(to));
        var increment = end - start;
        var used = new Dictionary<long, Tensor>();
        Add(End, to - from);
        for (var level = 0; level < LargeLevels; level++)
        {
            // In the order of time, so that the way back is the way there to the bit.
            var first = BrownianInterval.Around(Math.Min(from, to), level);
            var second = BrownianInterval.Around(Math.Max(from, to), level);
            Add(first.Node, first.MiddleWeight(to) - first.MiddleWeight(from));
            if (second != first)
            {
                Add(second.Node, second.MiddleWeight(to) - second.MiddleWeight(from));
            }
        }

        Keep(used, [(from, start), (to, end)]);
        using var deviation = Math.Sqrt(Math.Abs(to - from)).ToScalar();
        return increment.div_(deviation).MoveToOuterDisposeScope();

        void Add(long node, double weight)
        {
            used[node] = _large.TryGetValue(node, out var noise) ? noise : Normal(node);
            using var factor = weight.ToScalar();
            increment.add_(used[node], alpha: factor);
        }
    }

    public void Dispose() => Keep([], []);

    /// <summary>The part of W(clock) that the small intervals make: one of the last two, which are kept, or a new tensor.</summary>
    private Tensor Small(double clock)
    {
        foreach (var (time, sum) in _small)
        {
            if (time == clock)
            {
                return sum;
            }
        }

        var all = zeros(shape, ScalarType.Float32);
        for (var level = LargeLevels; level < Depth; level++)
        {
            var interval = BrownianInterval.Around(clock, level);
            Add(interval, interval.MiddleWeight(clock));
        }

        var leaf = BrownianInterval.Around(clock, Depth);
        Add(leaf, leaf.BridgeWeight(clock));
        return all;

        void Add(BrownianInterval interval, double weight)
        {
            if (weight > 0)
            {
                using var noise = Normal(interval.Node);
                using var factor = weight.ToScalar();
                all.add_(noise, alpha: factor);
            }
        }
    }

    /// <summary>Keeps these tensors, out of all dispose scopes, in place of those kept before.</summary>
    private void Keep(Dictionary<long, Tensor> large, (double Clock, Tensor Sum)[] small)
    {
        Tensor[] kept = [.. large.Values, .. small.Select(item => item.Sum)];
        foreach (var tensor in kept)
        {
            tensor.DetachFromDisposeScope();
        }

        foreach (var tensor in _large.Values.Concat(_small.Select(item => item.Sum)).Except(kept, ReferenceEqualityComparer.Instance).Cast<Tensor>())
        {
            tensor.Dispose();
        }

        (_large, _small) = (large, small);
    }

    /// <summary>Standard normal noise that belongs to an interval, or to W(1).</summary>
    private Tensor Normal(long node)
    {
        using var generator = new Generator(SeedMixer.Mix(seed, SeedMixer.Purpose.BrownianNode, node), CPU);
        return randn(shape, ScalarType.Float32, generator: generator);
    }
}
