using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Norm, SiLU, 3×3 convolution, plus the time, norm, SiLU, 3×3 convolution, plus the input.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B, with the time added after the first convolution.</remarks>
public sealed class ResidualBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly GroupNorm _norm1;

    [ComponentName(Name = "conv1")]
    private readonly Conv2d _conv1;

    [ComponentName(Name = "time")]
    private readonly Linear _time;

    [ComponentName(Name = "norm2")]
    private readonly GroupNorm _norm2;

    [ComponentName(Name = "conv2")]
    private readonly Conv2d _conv2;

    [ComponentName(Name = "shortcut")]
    private readonly Conv2d? _shortcut;

    /// <summary>Makes the block.</summary>
    /// <param name="inChannels">The channels that enter.</param>
    /// <param name="outChannels">The channels that leave.</param>
    /// <param name="options">Time dimension, norm groups, shortcut and initialisation.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public ResidualBlock(int inChannels, int outChannels, UNetOptions options, Generator? generator = null)
        : base(nameof(ResidualBlock))
    {
        ArgumentNullException.ThrowIfNull(options);
        _norm1 = new GroupNorm(options.NormGroups, inChannels);
        _conv1 = new Conv2d(inChannels, outChannels, 3, padding: 1, generator: generator);
        _time = new Linear(options.TimeDimension, outChannels, generator: generator);
        _norm2 = new GroupNorm(options.NormGroups, outChannels);
        _conv2 = new Conv2d(outChannels, outChannels, 3, padding: 1, generator: generator);
        _shortcut = inChannels != outChannels || options.AlwaysProjectShortcut ? new Conv2d(inChannels, outChannels, 1, generator: generator) : null;
        if (options.ZeroInitialize)
        {
            ZeroInitialization.Apply(_conv2);
        }

        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, inChannels, H, W].</param>
    /// <param name="time">SiLU of the time embedding, [B, time dimension]: it is the same for all blocks, so it is made once.</param>
    /// <returns>[B, outChannels, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = _conv1.call(nn.functional.silu(_norm1.call(images)));
        hidden = hidden + _time.call(time).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        hidden = _conv2.call(nn.functional.silu(_norm2.call(hidden)));
        var shortcut = _shortcut is null ? images : _shortcut.call(images);
        return (hidden + shortcut).MoveToOuterDisposeScope();
    }
}
