using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A residual block on the CPU without gradients: norms and activations happen while convolutions read, the time, biases and the input are added while they write. What is between the two
/// convolutions is no tensor.
/// </summary>
internal sealed unsafe class ForwardResidual(ResidualPlan plan, GroupNorm norm1, Conv2d conv1, Linear time, GroupNorm norm2, Conv2d conv2, Conv2d? shortcut)
{
    private readonly bool _fits = plan is { Options.Activation: Activation.Silu, Resampling: ResidualResampling.None, OutputScale: 1 } && plan.TimeDimension % 16 == 0;

    private bool Modulates => plan.Options.TimeInjection == TimeInjection.ScaleShift;

    /// <summary>Whether it can be done and is the fastest way; the caller sees to it that nothing is differentiated and nothing dropped.</summary>
    public bool Pays(Tensor images, Tensor embedding) =>
        _fits && images.dim() == 4 && images.dtype == (LayerPrecision.IsNarrow(conv1.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && WinogradConvolution.IsPossible(images, conv1.Weight, conv1.Shape, IsNarrow(images)) && WinogradConvolution.IsPossible(images, conv2.Weight, conv2.Shape, IsNarrow(images))
        && (shortcut is null || FusedPointwise.Pays(images, shortcut.Weight))
        && embedding.dtype == ScalarType.Float32 && embedding.is_contiguous() && time.Weight.dtype == ScalarType.Float32 && time.Weight.is_contiguous()
        && norm1.Weight.dtype == ScalarType.Float32 && norm2.Weight.dtype == ScalarType.Float32;

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C in, H, W], as <see cref="Pays"/> wants them.</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <returns>[B, C out, H, W].</returns>
    public Tensor Run(Tensor images, Tensor embedding) => IsNarrow(images) ? Run<BFloat16Tile>(images, embedding) : Run<Float32Tile>(images, embedding);

    private Tensor Run<T>(Tensor images, Tensor embedding)
        where T : ITileFormat
    {
        var output = empty([images.size(0), plan.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        var (input, result) = (WinogradImages.Of(images), WinogradImages.Of(output));
        var (rows, values, most) = ((int)embedding.size(0), (long)input.Count * input.Pixels * plan.OutChannels, (long)input.Count * Math.Max(plan.InChannels, plan.OutChannels));
        using var memory = TileScratch.Rent(TileScratch.Rounded(values) + (2 * TileScratch.Rounded(most)) + TileScratch.Rounded((long)rows * plan.TimeChannels));
        var hidden = result with { Data = (nint)memory.Take(values) };
        float* scales = memory.Take(most), shifts = memory.Take(most), projection = memory.Take((long)rows * plan.TimeChannels);
        var step = rows == 1 ? 0 : plan.TimeChannels;
        TimeProjection.Map(TensorMemory.Of<float>(embedding), rows, plan.TimeDimension, TensorMemory.Of<float>(time.Weight), TensorMemory.Of<float>(time.Bias!), Modulates ? null : Bias(conv1), plan.TimeChannels, projection);

        GroupMoments.Map(input, norm1, null, 0, scales, shifts);
        WinogradKernel<T>.Convolve(input, Points<T>(conv1), new() { Map = new(scales, shifts, plan.InChannels, activates: true), Bias = Modulates ? Bias(conv1) : projection, BiasStep = Modulates ? 0 : step }, hidden);
        GroupMoments.Map(hidden, norm2, Modulates ? projection : null, step, scales, shifts);
        var added = shortcut is null ? input.Data : Shortcut(input, result);
        WinogradKernel<T>.Convolve(hidden, Points<T>(conv2), new() { Map = new(scales, shifts, plan.OutChannels, activates: true), Bias = Bias(conv2), Added = added }, result);
        GC.KeepAlive(images);
        return output;
    }

    /// <summary>The projected input, in the place of the output.</summary>
    private nint Shortcut(WinogradImages input, WinogradImages output)
    {
        var size = (input.Count, input.Channels, output.Channels, input.Pixels);
        if (!input.IsNarrow)
        {
            PointwiseKernel.Map(TensorMemory.Of<float>(shortcut!.Weight), transposed: false, Bias(shortcut), (float*)input.Data, (float*)output.Data, size);
        }
        else
        {
            PointwiseKernel.Map(TensorMemory.Of<ushort>(LayerPrecision.Rounded(shortcut!.Weight)), Bias(shortcut), (ushort*)input.Data, (ushort*)output.Data, size);
        }

        return output.Data;
    }

    /// <summary>Whether products are of bfloat16. Where channels do not fill their words, images that are bfloat16 are multiplied in float32.</summary>
    private bool IsNarrow(Tensor images) => images.dtype == ScalarType.BFloat16 && plan.InChannels % 32 == 0 && plan.OutChannels % 32 == 0;

    private static float* Bias(Conv2d convolution) => TensorMemory.Of<float>(convolution.Bias!);

    private static uint* Points<T>(Conv2d convolution)
        where T : ITileFormat => TensorMemory.Of<uint>(WinogradConvolution.Prepared<T>(convolution.Weight));
}
