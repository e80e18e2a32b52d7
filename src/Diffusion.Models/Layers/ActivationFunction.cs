using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Applies an <see cref="Activation"/>.</summary>
internal static class ActivationFunction
{
    /// <summary>The activation of every value.</summary>
    public static Tensor Apply(this Activation activation, Tensor values) => activation switch
    {
        Activation.Relu => nn.functional.relu(values),
        Activation.Gelu => nn.functional.gelu(values),
        Activation.Mish => Mish.Apply(values),
        _ => nn.functional.silu(values),
    };
}
