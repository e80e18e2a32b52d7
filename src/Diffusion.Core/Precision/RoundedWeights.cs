using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Weights in bfloat16, rounded once: those of a sampling run, which does not change them. A weight that was changed by training or loading, or points elsewhere, is rounded anew.</summary>
internal sealed class RoundedWeights : IDisposable
{
    private static long s_changes;

    [ThreadStatic]
    private static RoundedWeights? t_current;

    private readonly Dictionary<Tensor, (nint Data, Tensor Rounded)> _weights = new(ReferenceEqualityComparer.Instance);
    private long _changes = Interlocked.Read(ref s_changes);

    /// <summary>Those of the run on this thread; <see langword="null"/> outside of one.</summary>
    public static RoundedWeights? Current => t_current;

    /// <summary>To be called after weights were changed in place.</summary>
    public static void Changed() => Interlocked.Increment(ref s_changes);

    /// <summary>Makes these the current ones until the result is disposed.</summary>
    public Use Enter()
    {
        var before = t_current;
        t_current = this;
        return new Use(before);
    }

    /// <summary>A weight in bfloat16, which this owns.</summary>
    public Tensor Of(Tensor weight)
    {
        if (Interlocked.Read(ref s_changes) is var changes && changes != _changes)
        {
            Dispose();
            _changes = changes;
        }

        var data = Address(weight);
        if (_weights.TryGetValue(weight, out var known))
        {
            if (known.Data == data)
            {
                return known.Rounded;
            }

            known.Rounded.Dispose();
        }

        var rounded = weight.to(ScalarType.BFloat16).DetachFromDisposeScope();
        _weights[weight] = (data, rounded);
        return rounded;
    }

    public void Dispose()
    {
        foreach (var (_, rounded) in _weights.Values)
        {
            rounded.Dispose();
        }

        _weights.Clear();
    }

    private static unsafe nint Address(Tensor weight)
    {
        fixed (byte* data = weight.bytes)
        {
            return (nint)data;
        }
    }

    /// <summary>Puts back what was current before.</summary>
    public readonly ref struct Use(RoundedWeights? before)
    {
        public void Dispose() => t_current = before;
    }
}
