using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// The network of the course "Implementing Denoising Diffusion Models" as its author wrote it (explainingai-code/DDPM-Pytorch, models/unet_base.py),
/// out of TorchSharp's modules: float32, NCHW, one operator after the other. The state dictionary has the names of the original.
/// </summary>
/// <remarks>
/// Widths are multiples of 32, but for the last: at others libtorch's CPU convolutions are wrong (docs/decisions/0003). Only the last convolution,
/// whose output has the image's few channels, is padded.
/// </remarks>
internal sealed class EagerUNet : nn.Module<Tensor, Tensor, Tensor>
{
    private const int LastChannels = 16;

    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _convIn;

    [ComponentName(Name = "t_proj")]
    private readonly Sequential _time;

    [ComponentName(Name = "downs")]
    private readonly ModuleList<EagerDownBlock> _downs;

    [ComponentName(Name = "mids")]
    private readonly ModuleList<EagerMidBlock> _mids;

    [ComponentName(Name = "ups")]
    private readonly ModuleList<EagerUpBlock> _ups;

    [ComponentName(Name = "norm_out")]
    private readonly GroupNorm _normOut;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _convOut;

    private readonly EagerUNetOptions _options;

    public EagerUNet(EagerUNetOptions? options = null)
        : base(nameof(EagerUNet))
    {
        _options = options ?? new EagerUNetOptions();
        var (widths, mids, halves, time, layers) = (_options.DownChannels, _options.MidChannels, _options.Downsample, _options.TimeDimension, _options.Layers);
        if (widths.Any(width => width % 32 != 0))
        {
            throw new ArgumentException($"Widths must be multiples of 32; they are {string.Join(", ", widths)}.", nameof(options));
        }

        _convIn = nn.Conv2d(_options.ImageChannels, widths[0], 3L, padding: 1L);
        _time = nn.Sequential(nn.Linear(time, time), nn.SiLU(), nn.Linear(time, time));
        _downs = new([.. halves.Select((half, i) => new EagerDownBlock(widths[i], widths[i + 1], time, half, layers))]);
        _mids = new([.. mids.Skip(1).Select((width, i) => new EagerMidBlock(mids[i], width, time, layers))]);
        _ups = new([.. Enumerable.Range(0, halves.Count).Reverse().Select(i => new EagerUpBlock(2 * widths[i], i == 0 ? LastChannels : widths[i - 1], time, halves[i], layers))]);
        _normOut = EagerLayers.Norm(LastChannels);
        _convOut = nn.Conv2d(LastChannels, _options.ImageChannels, 3L, padding: 1L);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <param name="timesteps">Int64, [B].</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var time = _time.call(Waves(timesteps));
        var hidden = _convIn.call(images);
        var skips = new Stack<Tensor>();
        foreach (var block in _downs)
        {
            skips.Push(hidden);
            hidden = block.Run(hidden, time);
        }

        foreach (var block in _mids)
        {
            hidden = block.Run(hidden, time);
        }

        foreach (var block in _ups)
        {
            hidden = block.Run(hidden, skips.Pop(), time);
        }

        return EagerLayers.LastConvolution(_convOut, nn.functional.silu(_normOut.call(hidden))).MoveToOuterDisposeScope();
    }

    /// <summary>Sines and cosines: [B] → [B, time dimension].</summary>
    private Tensor Waves(Tensor timesteps)
    {
        var half = _options.TimeDimension / 2;
        var factor = pow(10000, arange(half, ScalarType.Float32, timesteps.device) / half);
        var angles = timesteps.unsqueeze(1) / factor; // [B, 1] / [half] → [B, half]
        return cat([angles.sin(), angles.cos()], dim: -1);
    }
}
