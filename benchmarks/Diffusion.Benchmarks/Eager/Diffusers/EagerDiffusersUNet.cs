using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// A <c>UNet2DModel</c> or <c>UNet2DConditionModel</c> as diffusers writes it, out of TorchSharp's modules: float32, NCHW, one operator after the other. The state dictionary has diffusers' names.
/// Divisions by 1, which diffusers has after each residual layer and each attention, are left out.
/// </summary>
/// <remarks>huggingface/diffusers, src/diffusers/models/unets/unet_2d.py and unet_2d_condition.py. Widths are multiples of 32, as those of <see cref="EagerUNet"/>, and the last convolution is padded as there.</remarks>
internal sealed class EagerDiffusersUNet : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _convIn;

    [ComponentName(Name = "time_embedding")]
    private readonly EagerTimeEmbedding _time;

    [ComponentName(Name = "down_blocks")]
    private readonly ModuleList<EagerStage> _down;

    [ComponentName(Name = "mid_block")]
    private readonly EagerStage _mid;

    [ComponentName(Name = "up_blocks")]
    private readonly ModuleList<EagerStage> _up;

    [ComponentName(Name = "conv_norm_out")]
    private readonly GroupNorm _normOut;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _convOut;

    public EagerDiffusersUNet(EagerDiffusersOptions options)
        : base(nameof(EagerDiffusersUNet))
    {
        var (widths, heads, layers) = (options.Channels, options.Heads, options.Layers);
        if (widths.Any(width => width % 32 != 0))
        {
            throw new ArgumentException($"Widths must be multiples of 32; they are {string.Join(", ", widths)}.", nameof(options));
        }

        _convIn = nn.Conv2d(options.ImageChannels, widths[0], 3L, padding: 1L);
        _time = new EagerTimeEmbedding(options);
        var (skips, last) = (new Stack<int>([widths[0]]), widths.Count - 1);
        _down = new([.. Enumerable.Range(0, widths.Count).Select(Down)]);
        _mid = new EagerStage([widths[last], widths[last]], widths[last], 1, options.MidHeads, null, options);
        _up = new([.. Enumerable.Range(0, widths.Count).Reverse().Select(Up)]);
        _normOut = EagerLayers.Norm(widths[0], options.Groups, options.Eps);
        _convOut = nn.Conv2d(widths[0], options.ImageChannels, 3L, padding: 1L);
        RegisterComponents();

        EagerStage Down(int level)
        {
            int[] inputs = [.. Enumerable.Range(0, layers).Select(i => i > 0 ? widths[level] : widths[Math.Max(level - 1, 0)])];
            Enumerable.Repeat(widths[level], level < last ? layers + 1 : layers).ToList().ForEach(skips.Push);
            return new EagerStage(inputs, widths[level], heads[level] > 0 ? layers : 0, heads[level], level < last ? false : null, options);
        }

        EagerStage Up(int level)
        {
            int[] inputs = [.. Enumerable.Range(0, layers + 1).Select(i => skips.Pop() + (i > 0 ? widths[level] : widths[Math.Min(level + 1, last)]))];
            return new EagerStage(inputs, widths[level], heads[level] > 0 ? layers + 1 : 0, heads[level], level > 0 ? true : null, options);
        }
    }

    /// <summary>The network without a context.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="timesteps">[B].</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor timesteps) => Run(images, timesteps, null);

    /// <summary>The network.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="timesteps">[B].</param>
    /// <param name="context">[B, L, D]; <see langword="null"/> for a network that takes none.</param>
    /// <returns>[B, C, H, W].</returns>
    public Tensor Run(Tensor images, Tensor timesteps, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var time = _time.call(timesteps);
        var hidden = _convIn.call(images);
        var skips = new Stack<Tensor>([hidden]);
        foreach (var stage in _down)
        {
            for (var i = 0; i < stage.Count; i++)
            {
                hidden = stage.Layer(i, hidden, time, context);
                skips.Push(hidden);
            }

            if (stage.Resample(hidden) is { } halved)
            {
                hidden = halved;
                skips.Push(hidden);
            }
        }

        hidden = _mid.Bottom(hidden, time, context);
        foreach (var stage in _up)
        {
            for (var i = 0; i < stage.Count; i++)
            {
                hidden = stage.Layer(i, cat([hidden, skips.Pop()], dim: 1), time, context);
            }

            hidden = stage.Resample(hidden) ?? hidden;
        }

        return EagerLayers.LastConvolution(_convOut, nn.functional.silu(_normOut.call(hidden))).MoveToOuterDisposeScope();
    }
}
