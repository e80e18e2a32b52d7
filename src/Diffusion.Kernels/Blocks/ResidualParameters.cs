using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A residual block: norm, SiLU, 3×3 convolution, the time, norm, SiLU, dropout where it is asked for, 3×3 convolution, plus the input. All maps have biases.</summary>
/// <param name="Norm1">Before the first convolution.</param>
/// <param name="Conv1">3×3.</param>
/// <param name="Time">From the embedding of the time to what is added after the first convolution, or to scales and shifts after the second norm.</param>
/// <param name="Norm2">Before the second convolution.</param>
/// <param name="Conv2">3×3.</param>
/// <param name="Shortcut">1×1, from the input to what is added to the output; <see langword="null"/> where that is the input itself.</param>
/// <param name="Modulates">Whether the time scales and shifts.</param>
internal readonly record struct ResidualParameters(
    NormParameters Norm1, ConvolutionParameters Conv1, LinearParameters Time, NormParameters Norm2, ConvolutionParameters Conv2, ConvolutionParameters? Shortcut, bool Modulates)
{
    private const int Vector = 16;

    /// <summary>C in.</summary>
    public int InChannels => Conv1.Shape.InChannels;

    /// <summary>C out.</summary>
    public int OutChannels => Conv1.Shape.OutChannels;

    /// <summary>The features of the embedding of the time.</summary>
    public int TimeDimension => (int)Time.Weight.size(1);

    /// <summary>What the embedding is mapped to: C out, or twice as many.</summary>
    public int TimeChannels => Modulates ? 2 * OutChannels : OutChannels;

    /// <summary>How many tensors there are.</summary>
    public int TensorCount => Shortcut is null ? 10 : 12;

    /// <summary>The tensors: weight and bias of each layer, in order.</summary>
    public Tensor[] Tensors()
    {
        Tensor[] tensors = [Norm1.Weight, Norm1.Bias, Conv1.Weight, Conv1.Bias!, Time.Weight, Time.Bias!, Norm2.Weight, Norm2.Bias, Conv2.Weight, Conv2.Bias!];
        return Shortcut is { } shortcut ? [.. tensors, shortcut.Weight, shortcut.Bias!] : tensors;
    }

    /// <summary>The same block of other tensors, in the order of <see cref="Tensors"/>.</summary>
    public ResidualParameters With(IReadOnlyList<Tensor> tensors) => new(
        Norm1 with { Weight = tensors[0], Bias = tensors[1] },
        Conv1 with { Weight = tensors[2], Bias = tensors[3] },
        new LinearParameters(tensors[4], tensors[5]),
        Norm2 with { Weight = tensors[6], Bias = tensors[7] },
        Conv2 with { Weight = tensors[8], Bias = tensors[9] },
        Shortcut is { } shortcut ? shortcut with { Weight = tensors[10], Bias = tensors[11] } : null,
        Modulates);

    /// <summary>Whether <see cref="ResidualKernel"/> runs here and reads images, embedding and layers.</summary>
    public bool CanRead(Tensor images, Tensor embedding)
    {
        return TileSupport.Runs
            && images.dim() == 4 && images.is_contiguous() && images.dtype == (LayerPrecision.IsNarrow(Conv1.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
            && WinogradConvolution.Reads(images, Conv1.Weight, Conv1.Shape) && WinogradConvolution.Reads(images, Conv2.Weight, Conv2.Shape)
            && (Shortcut is not { } shortcut || (shortcut.Weight.is_contiguous() && FusedPointwise.CanRun(images, shortcut.Weight) && IsWide(shortcut.Bias)))
            && embedding.dtype == ScalarType.Float32 && embedding.is_contiguous() && TimeDimension % Vector == 0 && IsWide(Time.Weight) && IsWide(Time.Bias)
            && IsWide(Norm1.Weight) && IsWide(Norm2.Weight) && IsWide(Conv1.Bias) && IsWide(Conv2.Bias);
    }

    /// <summary>Whether products are of bfloat16. Where channels do not fill their words, images that are bfloat16 are multiplied in float32.</summary>
    public bool MultipliesNarrow(Tensor images) => WinogradConvolution.MultipliesNarrow(images, InChannels, OutChannels);

    private static bool IsWide(Tensor? tensor) => tensor is { dtype: ScalarType.Float32 } && tensor.is_contiguous();
}
