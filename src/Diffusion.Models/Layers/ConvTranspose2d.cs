using Diffusion.Kernels;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A transposed two-dimensional convolution with a square kernel: PyTorch's <c>nn.ConvTranspose2d</c> in shape, names and initialisation,
/// and right on the CPU, where libtorch's own is wrong at many channel counts.
/// Kernel 4, stride 2, padding 1 doubles height and width.
/// </summary>
/// <remarks>
/// State: <c>weight</c> [inChannels, outChannels, k, k] and <c>bias</c> [outChannels], float32 on the CPU until the module is moved.
/// On the CPU channels are padded by zeros inside the forward pass where libtorch is wrong without, as in <see cref="Conv2d"/>.
/// </remarks>
internal sealed class ConvTranspose2d : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;
    private readonly ConvolutionShape _shape;

    /// <summary>
    /// Makes a layer whose weight and bias are drawn from U(−1/√n, 1/√n), n = outChannels·k²: PyTorch's default, which takes the second
    /// dimension of the weight for the fan-in.
    /// </summary>
    /// <param name="inChannels">The channels of the input, at least 1.</param>
    /// <param name="outChannels">The channels of the output, at least 1.</param>
    /// <param name="kernelSize">The height and width k of the kernel in pixels, at least 1.</param>
    /// <param name="stride">The distance of two input pixels in the output, in pixels, at least 1.</param>
    /// <param name="padding">The rows and columns cut off at each edge of the output, at least 0.</param>
    /// <param name="bias">Whether a bias is added to each output channel.</param>
    /// <param name="generator">What the initial values are drawn from: weight, then bias. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public ConvTranspose2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, bool bias = true, Generator? generator = null)
        : base(nameof(ConvTranspose2d))
    {
        _shape = ConvolutionShape.Checked(inChannels, outChannels, kernelSize, stride, padding);
        var fanIn = (long)outChannels * kernelSize * kernelSize;
        _weight = LayerParameter.Uniform([inChannels, outChannels, kernelSize, kernelSize], fanIn, generator);
        _bias = bias ? LayerParameter.Uniform([outChannels], fanIn, generator) : null;
        RegisterComponents();
    }

    /// <summary>The channels of the input.</summary>
    public int InChannels => _shape.InChannels;

    /// <summary>The channels of the output.</summary>
    public int OutChannels => _shape.OutChannels;

    /// <summary>The weight, [inChannels, outChannels, k, k]; the module owns it.</summary>
    public Parameter Weight => _weight;

    /// <summary>The bias, [outChannels], or <see langword="null"/> where the layer has none; the module owns it.</summary>
    public Parameter? Bias => _bias;

    /// <summary>Convolves images, transposed.</summary>
    /// <param name="input">[B, inChannels, H, W], in the type of the weight (in mixed precision also in bfloat16, which is then the type of the output), on its device; it is not disposed.</param>
    /// <returns>[B, outChannels, (H − 1)·stride − 2·padding + k, likewise W], in the memory layout of the input.</returns>
    /// <exception cref="ArgumentException">The input has another rank or another number of channels.</exception>
    public override Tensor forward(Tensor input)
    {
        LayerInput.CheckImages(input, InChannels, nameof(ConvTranspose2d));
        return Functional.ConvTranspose2d(input, new(_weight, _bias, _shape));
    }
}
