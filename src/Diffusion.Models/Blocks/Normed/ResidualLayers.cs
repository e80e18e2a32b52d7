using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>What a <see cref="ResidualBlock"/> consists of, for those who run it as one operation. All maps have biases.</summary>
/// <param name="Plan">Widths and variants.</param>
/// <param name="Norm1">Before the first convolution.</param>
/// <param name="Conv1">3×3.</param>
/// <param name="Time">From the embedding of the time to what is added after the first convolution, or to scales and shifts after the second norm.</param>
/// <param name="Norm2">Before the second convolution.</param>
/// <param name="Conv2">3×3.</param>
/// <param name="Shortcut">1×1, from the input to what is added to the output, unless that is the input itself.</param>
internal sealed record ResidualLayers(ResidualPlan Plan, GroupNorm Norm1, Conv2d Conv1, Linear Time, GroupNorm Norm2, Conv2d Conv2, Conv2d? Shortcut)
{
    private const int Vector = 16;

    /// <summary>Whether the time scales and shifts.</summary>
    public bool Modulates => Plan.Options.TimeInjection == TimeInjection.ScaleShift;

    /// <summary>Whether images, embedding and layers are such that <see cref="ResidualKernel{T}"/> reads them; nothing may be dropped.</summary>
    public bool Fit(Tensor images, Tensor embedding) =>
        Plan is { Options.Activation: Activation.Silu, Resampling: ResidualResampling.None, OutputScale: 1 } && Plan.TimeDimension % Vector == 0
        && images.dim() == 4 && images.is_contiguous() && images.dtype == (LayerPrecision.IsNarrow(Conv1.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && WinogradConvolution.IsPossible(images, Conv1.Weight, Conv1.Shape, IsNarrow(images)) && WinogradConvolution.IsPossible(images, Conv2.Weight, Conv2.Shape, IsNarrow(images))
        && (Shortcut is null || FusedPointwise.Pays(images, Shortcut.Weight))
        && embedding.dtype == ScalarType.Float32 && embedding.is_contiguous() && Time.Weight.dtype == ScalarType.Float32 && Time.Weight.is_contiguous()
        && Norm1.Weight.dtype == ScalarType.Float32 && Norm2.Weight.dtype == ScalarType.Float32;

    /// <summary>Whether products are of bfloat16. Where channels do not fill their words, images that are bfloat16 are multiplied in float32.</summary>
    public bool IsNarrow(Tensor images) => images.dtype == ScalarType.BFloat16 && Plan.InChannels % (2 * Vector) == 0 && Plan.OutChannels % (2 * Vector) == 0;
}
