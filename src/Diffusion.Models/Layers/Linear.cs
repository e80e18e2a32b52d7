using Diffusion.Kernels;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A linear map of the last dimension: PyTorch's <c>nn.Linear</c>, initialised from a generator.</summary>
/// <remarks>State: <c>weight</c> [outFeatures, inFeatures] and <c>bias</c> [outFeatures], float32 on the CPU until the module is moved.</remarks>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;

    /// <summary>Makes a layer whose weight and bias are drawn from U(−1/√inFeatures, 1/√inFeatures), PyTorch's default.</summary>
    /// <param name="inFeatures">The length of the input's last dimension, at least 1.</param>
    /// <param name="outFeatures">The length of the output's last dimension, at least 1.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="generator">What the initial values are drawn from: weight, then bias. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public Linear(int inFeatures, int outFeatures, bool bias = true, Generator? generator = null)
        : base(nameof(Linear))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inFeatures);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outFeatures);
        (InFeatures, OutFeatures) = (inFeatures, outFeatures);
        _weight = LayerParameter.Uniform([outFeatures, inFeatures], inFeatures, generator);
        _bias = bias ? LayerParameter.Uniform([outFeatures], inFeatures, generator) : null;
        RegisterComponents();
    }

    /// <summary>The length of the input's last dimension.</summary>
    public int InFeatures { get; }

    /// <summary>The length of the output's last dimension.</summary>
    public int OutFeatures { get; }

    /// <summary>The weight, [outFeatures, inFeatures]; the module owns it.</summary>
    public Parameter Weight => _weight;

    /// <summary>The bias, [outFeatures], or <see langword="null"/> where the layer has none; the module owns it.</summary>
    public Parameter? Bias => _bias;

    /// <summary>The layer as its operation takes it.</summary>
    internal LinearParameters Parameters => new(_weight, _bias);

    /// <summary>Maps the last dimension.</summary>
    /// <param name="input">[…, inFeatures], in the type of the weight (in mixed precision also in bfloat16, which is then the type of the output), on its device; it is not disposed.</param>
    /// <returns>[…, outFeatures].</returns>
    /// <exception cref="ArgumentException">The input's last dimension has another length.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() == 0 || input.size(-1) != InFeatures)
        {
            throw new ArgumentException($"Linear needs an input of shape […, {InFeatures}]; it was given [{string.Join(", ", input.shape)}].", nameof(input));
        }

        return Functional.Linear(input, Parameters);
    }
}
