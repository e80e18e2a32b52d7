using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>Parameters of layers as modules draw them, as tensors: weights and biases of the size of numbers that are uniform below 1 over the root of what is added up.</summary>
internal sealed class Parameters(Generator generator)
{
    private const double Eps = 1e-5;

    /// <summary>Normal numbers.</summary>
    public Tensor Draw(params long[] shape) => randn(shape, generator: generator);

    /// <summary>A convolution.</summary>
    public ConvolutionParameters Convolution(int inChannels, int outChannels, int kernel, int stride = 1, int padding = 0, bool bias = true, bool transposed = false)
    {
        var (first, second) = transposed ? (inChannels, outChannels) : (outChannels, inChannels);
        var size = Size(inChannels * kernel * kernel);
        return new(Leaf(size, first, second, kernel, kernel), bias ? Leaf(size, outChannels) : null, new ConvolutionShape(inChannels, outChannels, kernel, stride, padding));
    }

    /// <summary>A linear map.</summary>
    public LinearParameters Linear(int inFeatures, int outFeatures, bool bias = true) => new(Leaf(Size(inFeatures), outFeatures, inFeatures), bias ? Leaf(Size(inFeatures), outFeatures) : null);

    /// <summary>A group norm, with factors about 1 and summands about 0.</summary>
    public NormParameters Norm(int groups, int channels) =>
        new((1 + (0.3 * Draw(channels))).requires_grad_(), (0.3 * Draw(channels)).requires_grad_(), groups, channels, Eps);

    /// <summary>A residual block.</summary>
    public ResidualParameters Residual(int inChannels, int outChannels, int groups, int timeDimension, bool projects, bool modulates = false) => new(
        Norm(groups, inChannels), Convolution(inChannels, outChannels, 3, padding: 1), Linear(timeDimension, modulates ? 2 * outChannels : outChannels),
        Norm(groups, outChannels), Convolution(outChannels, outChannels, 3, padding: 1), projects ? Convolution(inChannels, outChannels, 1) : null, modulates);

    /// <summary>A self-attention block.</summary>
    public SelfAttentionParameters Attention(AttentionLayout layout, int channels, int groups, bool separate, double outputScale = 1)
    {
        var inner = layout.Inner;
        return new(
            layout, groups == 0 ? null : Norm(groups, channels), Linear(channels, separate ? inner : 3 * inner), separate ? Linear(channels, inner) : null, separate ? Linear(channels, inner) : null,
            Linear(inner, channels), outputScale);
    }

    private static double Size(int terms) => 1 / Math.Sqrt(3.0 * terms);

    private Tensor Leaf(double size, params long[] shape) => (size * Draw(shape)).requires_grad_();
}
