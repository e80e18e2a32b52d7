using Diffusion.Kernels;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A two-dimensional convolution with a square kernel: PyTorch's <c>nn.Conv2d</c> in shape, names and initialisation, and right on the CPU,
/// where libtorch's own is wrong at many channel counts.
/// </summary>
/// <remarks>
/// State: <c>weight</c> [outChannels, inChannels, k, k] and <c>bias</c> [outChannels], float32 on the CPU until the module is moved.
/// On the CPU, at level <c>avx512</c> and above (<see cref="DiffusionRuntime.ProcessorLevel"/>), 3×3 kernels with a padding of 1 and channels that are multiples of 16 are computed by Winograd's method. At every level 1×1 kernels
/// are products of matrices. All others are libtorch's, with channels padded by zeros inside the forward pass where libtorch is wrong without; no padded value is ever visible. On other devices and in float64 it is
/// libtorch's convolution.
/// </remarks>
internal sealed class Conv2d : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;
    private readonly ConvolutionShape _shape;

    /// <summary>Makes a layer whose weight and bias are drawn from U(−1/√n, 1/√n), n = inChannels·k², PyTorch's default.</summary>
    /// <param name="inChannels">The channels of the input, at least 1.</param>
    /// <param name="outChannels">The channels of the output, at least 1.</param>
    /// <param name="kernelSize">The height and width k of the kernel in pixels, at least 1.</param>
    /// <param name="stride">The step of the kernel in pixels, at least 1.</param>
    /// <param name="padding">The rows and columns of zeros added at each edge, at least 0.</param>
    /// <param name="bias">Whether a bias is added to each output channel.</param>
    /// <param name="generator">What the initial values are drawn from: weight, then bias. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, bool bias = true, Generator? generator = null)
        : base(nameof(Conv2d))
    {
        _shape = ConvolutionShape.Checked(inChannels, outChannels, kernelSize, stride, padding);
        var fanIn = (long)inChannels * kernelSize * kernelSize;
        _weight = LayerParameter.Uniform([outChannels, inChannels, kernelSize, kernelSize], fanIn, generator);
        _bias = bias ? LayerParameter.Uniform([outChannels], fanIn, generator) : null;
        RegisterComponents();
    }

    /// <summary>The channels of the input.</summary>
    public int InChannels => _shape.InChannels;

    /// <summary>The channels of the output.</summary>
    public int OutChannels => _shape.OutChannels;

    /// <summary>The weight, [outChannels, inChannels, k, k]; the module owns it.</summary>
    public Parameter Weight => _weight;

    /// <summary>The bias, [outChannels], or <see langword="null"/> where the layer has none; the module owns it.</summary>
    public Parameter? Bias => _bias;

    /// <summary>The layer as its operation takes it.</summary>
    internal ConvolutionParameters Parameters => new(_weight, _bias, _shape);

    /// <summary>Convolves images.</summary>
    /// <param name="input">[B, inChannels, H, W], in the type of the weight (in mixed precision also in bfloat16, which is then the type of the output), on its device; it is not disposed.</param>
    /// <returns>[B, outChannels, ⌊(H + 2·padding − k)/stride⌋ + 1, likewise W], in the memory layout of the input.</returns>
    /// <exception cref="ArgumentException">The input has another rank or another number of channels.</exception>
    public override Tensor forward(Tensor input)
    {
        LayerInput.CheckImages(input, InChannels, nameof(Conv2d));
        return Functional.Conv2d(input, Parameters);
    }
}
