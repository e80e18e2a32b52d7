using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A self-attention over pixels on the CPU without gradients: the norm happens while the projections read, the input is added while the last one writes.</summary>
internal sealed unsafe class ForwardAttention(AttentionPlan plan, AttentionLayout layout, GroupNorm? norm, IReadOnlyList<Linear> projections, Linear last)
{
    private readonly bool _fits = plan.OutputScale is 1 && plan.Channels % TilePanels.Lanes == 0 && plan.Inner % TilePanels.Lanes == 0;

    /// <summary>Whether it can be done and is the fastest way; the caller sees to it that nothing is differentiated.</summary>
    public bool Pays(Tensor images) =>
        _fits && images.dim() == 4 && images.device_type == DeviceType.CPU && images.is_contiguous() && AttentionTile.IsSupported
        && images.dtype == (LayerPrecision.IsNarrow(last.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && (images.dtype == ScalarType.BFloat16 ? LinearKernel<BFloat16Tile>.IsAvailable : LinearKernel<Float32Tile>.IsAvailable)
        && images.size(2) * images.size(3) >= LinearImages<Float32Tile>.FewestPixels && images.size(0) > 0
        && images.size(0) * images.size(2) * images.size(3) * 3 * Math.Max(plan.Channels, plan.Inner) < int.MaxValue / sizeof(float)
        && (norm is null || norm.Weight.dtype == ScalarType.Float32) && last.Weight.dtype == ScalarType.Float32 && last.Weight.is_contiguous()
        && projections.All(static projection => projection.Weight.dtype == ScalarType.Float32 && projection.Weight.is_contiguous());

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C, H, W], as <see cref="Pays"/> wants them.</param>
    /// <returns>[B, C, H, W].</returns>
    public Tensor Run(Tensor images) => images.dtype == ScalarType.BFloat16 ? Run<BFloat16Tile>(images) : Run<Float32Tile>(images);

    private Tensor Run<T>(Tensor images)
        where T : ITileFormat
    {
        using var scope = NewDisposeScope();
        var attended = AttentionProduct.Apply(layout, Projected<T>(images)).contiguous();
        var output = empty_like(images);
        LinearImages<T>.ToImages(TensorMemory.Of<uint>(attended), plan.Inner, Panels<T>(last), Bias(last), WinogradImages.Of(images), WinogradImages.Of(output));
        return output.MoveToOuterDisposeScope();
    }

    private Tensor[] Projected<T>(Tensor images)
        where T : ITileFormat
    {
        var (input, tokens) = (WinogradImages.Of(images), new Tensor[projections.Count]);
        using var memory = TileScratch.Rent(2 * TileScratch.Rounded((long)input.Count * input.Channels));
        var map = norm is null ? default : Normalised(input, norm, memory);
        for (var i = 0; i < tokens.Length; i++)
        {
            var columns = projections[i].OutFeatures;
            tokens[i] = empty([images.size(0), input.Pixels, columns], dtype: images.dtype);
            LinearImages<T>.ToTokens(input, map, Panels<T>(projections[i]), Bias(projections[i]), TensorMemory.Of<byte>(tokens[i]), columns);
        }

        return tokens;

        static ChannelMap Normalised(WinogradImages input, GroupNorm norm, TileScratch memory)
        {
            float* scales = memory.Take((long)input.Count * input.Channels), shifts = memory.Take((long)input.Count * input.Channels);
            GroupMoments.Map(input, norm, null, 0, scales, shifts);
            return new ChannelMap(scales, shifts, input.Channels, activates: false);
        }
    }

    private static uint* Panels<T>(Linear linear)
        where T : ITileFormat => TensorMemory.Of<uint>(LinearTokens.Panels(linear.Weight, T.PerWord > 1));

    private static float* Bias(Linear linear) => linear.Bias is { } bias ? TensorMemory.Of<float>(bias) : null;
}
