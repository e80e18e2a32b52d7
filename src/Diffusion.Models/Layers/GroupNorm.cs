using Diffusion.Kernels;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Normalises groups of channels to mean 0 and variance 1, then scales and shifts each channel: PyTorch's <c>nn.GroupNorm</c> with
/// weight 1 and bias 0 at the start (TorchSharp's module leaves both uninitialised).
/// </summary>
/// <remarks>
/// Wu and He, arXiv:1803.08494. State: <c>weight</c> [channels] and <c>bias</c> [channels], float32 on the CPU until the module is moved.
/// </remarks>
internal sealed class GroupNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly double _eps;

    /// <summary>Makes a layer with weight 1 and bias 0.</summary>
    /// <param name="groups">The number of groups, at least 1; it divides <paramref name="channels"/>.</param>
    /// <param name="channels">The channels of the input, at least 1.</param>
    /// <param name="eps">What is added to the variance, above 0. PyTorch's default is 1e-5; some networks were trained with 1e-6.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    /// <exception cref="ArgumentException">The groups do not divide the channels.</exception>
    public GroupNorm(int groups, int channels, double eps = 1e-5)
        : base(nameof(GroupNorm))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groups);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(eps);
        if (channels % groups != 0)
        {
            throw new ArgumentException($"The number of groups must divide the channels; {groups} groups do not divide {channels} channels.", nameof(groups));
        }

        (Groups, Channels, _eps) = (groups, channels, eps);
        _weight = LayerParameter.Constant(channels, 1);
        _bias = LayerParameter.Constant(channels, 0);
        RegisterComponents();
    }

    /// <summary>The number of groups.</summary>
    public int Groups { get; }

    /// <summary>The channels of the input.</summary>
    public int Channels { get; }

    /// <summary>The layer as its operation takes it.</summary>
    internal NormParameters Parameters => new(_weight, _bias, Groups, Channels, _eps);

    /// <summary>The factor of each channel, [channels]; the module owns it.</summary>
    public Parameter Weight => _weight;

    /// <summary>The summand of each channel, [channels]; the module owns it.</summary>
    public Parameter Bias => _bias;

    /// <summary>Normalises images.</summary>
    /// <param name="input">[B, channels, …], in the type of the weight or, in mixed precision, in bfloat16, on the device of the weight; it is not disposed.</param>
    /// <returns>The shape and the type of the input.</returns>
    /// <exception cref="ArgumentException">The input has another number of channels.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() < 2 || input.size(1) != Channels)
        {
            throw new ArgumentException($"GroupNorm needs an input of shape [B, {Channels}, …]; it was given [{string.Join(", ", input.shape)}].", nameof(input));
        }

        return Functional.GroupNorm(input, Parameters);
    }
}
