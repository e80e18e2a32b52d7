using Diffusion.Kernels;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Normalises the last dimension to mean 0 and variance 1, then scales and shifts each of its features: PyTorch's <c>nn.LayerNorm</c> of
/// one dimension, with weight 1 and bias 0 at the start.
/// </summary>
/// <remarks>
/// Ba, Kiros and Hinton, arXiv:1607.06450. State: <c>weight</c> [features] and <c>bias</c> [features], float32 on the CPU until the module
/// is moved.
/// </remarks>
internal sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly double _eps;

    /// <summary>Makes a layer with weight 1 and bias 0.</summary>
    /// <param name="features">The length of the input's last dimension, at least 1.</param>
    /// <param name="eps">What is added to the variance, above 0; PyTorch's default, 1e-5, if not given.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public LayerNorm(int features, double eps = 1e-5)
        : base(nameof(LayerNorm))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(eps);
        (Features, _eps) = (features, eps);
        _weight = LayerParameter.Constant(features, 1);
        _bias = LayerParameter.Constant(features, 0);
        RegisterComponents();
    }

    /// <summary>The length of the input's last dimension.</summary>
    public int Features { get; }

    /// <summary>The factor of each feature, [features]; the module owns it.</summary>
    public Parameter Weight => _weight;

    /// <summary>The summand of each feature, [features]; the module owns it.</summary>
    public Parameter Bias => _bias;

    /// <summary>Normalises the last dimension.</summary>
    /// <param name="input">[…, features], in the type of the weight or, in mixed precision, in bfloat16, on the device of the weight; it is not disposed.</param>
    /// <returns>The shape and the type of the input.</returns>
    /// <exception cref="ArgumentException">The input's last dimension has another length.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var shape = input.shape;
        if (shape.Length == 0 || shape[^1] != Features)
        {
            throw new ArgumentException($"LayerNorm needs an input of shape […, {Features}]; it was given [{string.Join(", ", shape)}].", nameof(input));
        }

        if (input.dtype == _weight.dtype || input.device_type == TorchSharp.DeviceType.CPU)
        {
            return nn.functional.layer_norm(input, [Features], _weight, _bias, _eps); // bfloat16 images with float32 weights, too: statistics are float32
        }

        using var scope = NewDisposeScope();
        return nn.functional.layer_norm(LayerPrecision.Wide(input, _weight), [Features], _weight, _bias, _eps).to(input.dtype).MoveToOuterDisposeScope();
    }
}
