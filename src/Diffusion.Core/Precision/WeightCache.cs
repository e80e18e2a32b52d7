using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The <see cref="PreparedWeights"/> of a sampling run. A weight that was changed by training or loading, or points elsewhere, is prepared anew; what was prepared before lives to the end of the step, since a layer may compute with it while another thread trains another network.</summary>
internal sealed class WeightCache : IDisposable
{
    private static long s_changes;

    [ThreadStatic]
    private static WeightCache? t_current;

    private readonly Dictionary<(Tensor Weight, string Form), (nint Data, Tensor Prepared)> _weights = new(Keys.Instance);
    private readonly List<Tensor> _retired = []; // layers may still compute with them
    private long _changes = Interlocked.Read(ref s_changes);

    /// <summary>Those of the run on this thread; <see langword="null"/> outside of one.</summary>
    public static WeightCache? Current => t_current;

    /// <summary>To be called after weights were changed in place.</summary>
    public static void Changed() => Interlocked.Increment(ref s_changes);

    /// <summary>Makes these the current ones until the result is disposed.</summary>
    public Use Enter()
    {
        FreeRetired();
        var before = t_current;
        t_current = this;
        return new Use(before);
    }

    /// <summary>Has none until the result is disposed.</summary>
    public static Use Leave()
    {
        var before = t_current;
        t_current = null;
        return new Use(before);
    }

    public void Dispose()
    {
        Retire();
        FreeRetired();
    }

    /// <summary>A weight in another form, which this owns.</summary>
    public Tensor Of(Tensor weight, string form, Func<Tensor, Tensor> prepare)
    {
        if (Interlocked.Read(ref s_changes) is var changes && changes != _changes)
        {
            Retire();
            _changes = changes;
        }

        var data = Address(weight);
        if (_weights.TryGetValue((weight, form), out var known))
        {
            if (known.Data == data)
            {
                return known.Prepared;
            }

            _retired.Add(known.Prepared);
        }

        var prepared = prepare(weight).DetachFromDisposeScope();
        _weights[(weight, form)] = (data, prepared);
        return prepared;
    }

    private void Retire()
    {
        _retired.AddRange(_weights.Values.Select(weight => weight.Prepared));
        _weights.Clear();
    }

    private void FreeRetired()
    {
        _retired.ForEach(prepared => prepared.Dispose());
        _retired.Clear();
    }

    private static unsafe nint Address(Tensor weight)
    {
        fixed (byte* data = weight.bytes)
        {
            return (nint)data;
        }
    }

    /// <summary>Puts back what was current before.</summary>
    public readonly ref struct Use(WeightCache? before)
    {
        public void Dispose() => t_current = before;
    }

    /// <summary>Weights are the same where they are the same object.</summary>
    private sealed class Keys : IEqualityComparer<(Tensor Weight, string Form)>
    {
        public static Keys Instance { get; } = new();

        public bool Equals((Tensor Weight, string Form) x, (Tensor Weight, string Form) y) => ReferenceEquals(x.Weight, y.Weight) && x.Form == y.Form;

        public int GetHashCode((Tensor Weight, string Form) key) =>
            HashCode.Combine(RuntimeHelpers.GetHashCode(key.Weight), key.Form.GetHashCode(StringComparison.Ordinal));
    }
}
