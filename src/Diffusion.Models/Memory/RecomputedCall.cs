using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>What a second run of a part of a network needs beside its tensors: the function, the precision, the seeds that layers drew from, and the state of libtorch's global generator if the part draws from it.</summary>
internal sealed class RecomputedCall(Func<IReadOnlyList<Tensor>, Tensor> forward, int inputCount)
{
    private readonly ComputePrecision _precision = MixedPrecision.Current;
    private readonly List<LayerSeed> _seeds = [];
    private byte[]? _generatorState;

    /// <summary>How many of the tensors are inputs; the rest are parameters.</summary>
    public int InputCount => inputCount;

    /// <summary>The first run, without gradients.</summary>
    public Tensor First(Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        using var seeds = LayerSeeds.Record(_seeds);
        var before = get_rng_state();
        var output = forward(inputs).MoveToOuterDisposeScope();
        _generatorState = get_rng_state().bytes.SequenceEqual(before.bytes) ? null : before.bytes.ToArray();
        return output;
    }

    /// <summary>The second run, with gradients. The generator is left as it was found.</summary>
    public Tensor Again(Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        using var precision = MixedPrecision.Use(_precision);
        using var seeds = LayerSeeds.Replay(_seeds);
        if (_generatorState is null)
        {
            return forward(inputs).MoveToOuterDisposeScope();
        }

        var found = get_rng_state();
        set_rng_state(tensor(_generatorState, ScalarType.Byte));
        try
        {
            return forward(inputs).MoveToOuterDisposeScope();
        }
        finally
        {
            set_rng_state(found);
        }
    }
}
