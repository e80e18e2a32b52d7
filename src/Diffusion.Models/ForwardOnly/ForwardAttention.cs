using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A self-attention over pixels on the CPU without gradients: the norm happens while the projections read, the input is added while the last one writes. Some images go all the way at a time, so
/// that their tokens stay in the nearer caches.
/// </summary>
internal sealed unsafe class ForwardAttention(SelfAttentionLayers layers)
{
    private const int PixelsAtOnce = 1 << 12;

    /// <summary>Whether it can be done and is the fastest way; the caller sees to it that nothing is differentiated.</summary>
    public bool Pays(Tensor images) => layers.Fit(images);

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C, H, W], as <see cref="Pays"/> wants them.</param>
    /// <returns>[B, C, H, W].</returns>
    public Tensor Run(Tensor images)
    {
        var output = empty_like(images);
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        if (images.dtype == ScalarType.BFloat16)
        {
            Run<BFloat16Tile>(WinogradImages.Of(images), WinogradImages.Of(output));
        }
        else
        {
            Run<Float32Tile>(WinogradImages.Of(images), WinogradImages.Of(output));
        }

        GC.KeepAlive(images);
        return output;
    }

    private void Run<T>(WinogradImages images, WinogradImages output)
        where T : ITileFormat
    {
        var (atOnce, maps) = (Math.Clamp(PixelsAtOnce / images.Pixels, 1, images.Count), TileScratch.Rounded((long)images.Count * images.Channels));
        var pixels = (long)atOnce * images.Pixels;
        using var memory = TileScratch.Rent((2 * maps) + TileScratch.Rounded(pixels * 4 * layers.Plan.Inner / T.PerWord) + TileScratch.Rounded(pixels * 2 * layers.Plan.Heads));
        float* scales = memory.Take(maps), shifts = memory.Take(maps), tokens = memory.Take(pixels * 4 * layers.Plan.Inner / T.PerWord), totals = memory.Take(pixels * 2 * layers.Plan.Heads);
        if (layers.Norm is { } norm)
        {
            GroupMoments.Map(images, norm, null, 0, scales, shifts);
        }

        for (var first = 0; first < images.Count; first += atOnce)
        {
            var map = layers.Norm is null ? default : new ChannelMap(scales + ((long)first * images.Channels), shifts + ((long)first * images.Channels), images.Channels, activates: false);
            Run<T>(images.Some(first, Math.Min(atOnce, images.Count - first)), map, tokens, totals, output.Some(first, Math.Min(atOnce, images.Count - first)));
        }
    }

    private void Run<T>(WinogradImages images, ChannelMap map, float* tokens, float* totals, WinogradImages output)
        where T : ITileFormat
    {
        var words = (long)images.Count * images.Pixels * layers.Plan.Inner / T.PerWord;
        var attended = tokens + (3 * words);
        Span<nint> projected = stackalloc nint[layers.Projections.Count];
        for (var i = 0; i < projected.Length; i++)
        {
            projected[i] = (nint)(tokens + (i * words));
            LinearImages<T>.ToTokens(images, map, Panels<T>(layers.Projections[i]), Bias(layers.Projections[i]), (void*)projected[i], layers.Projections[i].OutFeatures);
        }

        var narrow = T.PerWord > 1;
        var (query, key, value) = layers.Layout.Views(projected, narrow, images.Pixels);
        layers.Layout.Kernel(narrow)!.Forward(images.Count, query, key, value, new(attended, narrow, images.Pixels, layers.Plan.Inner, HeadLayout.Alone(layers.Plan.HeadWidth)), totals);
        LinearImages<T>.ToImages((uint*)attended, layers.Plan.Inner, Panels<T>(layers.Last), Bias(layers.Last), images, output);
    }

    private static uint* Panels<T>(Linear linear)
        where T : ITileFormat => TensorMemory.Of<uint>(LinearTokens.Panels(linear.Weight, T.PerWord > 1));

    private static float* Bias(Linear linear) => TensorMemory.Of<float>(linear.Bias!);
}
