using TorchSharp.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Makes parameters that no dispose scope frees: they belong to the module that they are made for.</summary>
internal static class LayerParameter
{
    /// <summary>Float32 values drawn from U(−1/√fanIn, 1/√fanIn), on the CPU.</summary>
    /// <remarks>
    /// PyTorch's default for the weights and biases of its linear and convolutional layers: He et al.'s uniform initialisation with the
    /// slope a = √5 of a leaky rectifier (arXiv:1502.01852, Eq. 15), whose gain √(2/(1+a²)) times √3 is 1.
    /// </remarks>
    public static Parameter Uniform(long[] shape, long fanIn, Generator? generator)
    {
        using var scope = NewDisposeScope();
        var bound = 1 / Math.Sqrt(fanIn);
        var values = empty(shape, dtype: ScalarType.Float32, device: CPU);
        values.uniform_(-bound, bound, generator!);
        var parameter = new Parameter(values);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>Float32 values drawn from N(0, deviation²), on the CPU.</summary>
    public static Parameter Normal(long[] shape, double deviation, Generator? generator)
    {
        using var scope = NewDisposeScope();
        var values = empty(shape, dtype: ScalarType.Float32, device: CPU);
        values.normal_(0, deviation, generator!);
        var parameter = new Parameter(values);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>The same value everywhere, float32, on the CPU.</summary>
    public static Parameter Constant(long length, double value)
    {
        using var scope = NewDisposeScope();
        using var number = value.ToScalar();
        var parameter = new Parameter(full([length], number, dtype: ScalarType.Float32, device: CPU));
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
