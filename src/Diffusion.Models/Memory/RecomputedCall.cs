using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>What a second run of a part of a network needs beside its tensors: the function, the precision, and the state of the generator that dropout draws from.</summary>
internal sealed class RecomputedCall(Func<IReadOnlyList<Tensor>, Tensor> forward, int inputCount)
{
    private readonly ComputePrecision _precision = MixedPrecision.Current;
    private byte[] _generatorState = [];

    /// <summary>How many of the tensors are inputs; the rest are parameters.</summary>
    public int InputCount => inputCount;

    /// <summary>The first run, without gradients.</summary>
    public Tensor First(Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        _generatorState = get_rng_state().bytes.ToArray();
        return forward(inputs).MoveToOuterDisposeScope();
    }

    /// <summary>The second run, with gradients. The generator is left as it was found.</summary>
    public Tensor Again(Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        using var precision = MixedPrecision.Use(_precision);
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
