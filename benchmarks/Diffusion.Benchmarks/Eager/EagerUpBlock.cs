using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A transposed 4×4 convolution of stride 2, the skip connection as further channels, then layers of a residual block and an attention.</summary>
internal sealed class EagerUpBlock : EagerBlock
{
    [ComponentName(Name = "up_sample_conv")]
    private readonly ConvTranspose2d? _upsample;

    /// <param name="inChannels">The channels from below and of the skip connection together: half of them each.</param>
    public EagerUpBlock(int inChannels, int outChannels, int timeDimension, bool upsamples, int layers)
        : base(nameof(EagerUpBlock), inChannels, outChannels, timeDimension, layers, layers)
    {
        _upsample = upsamples ? nn.ConvTranspose2d(inChannels / 2, inChannels / 2, 4L, stride: 2L, padding: 1L) : null;
        RegisterComponents();
    }

    public Tensor Run(Tensor images, Tensor skip, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = cat([_upsample is null ? images : _upsample.call(images), skip], dim: 1);
        for (var i = 0; i < Residuals; i++)
        {
            hidden = Attend(i, Residual(i, hidden, time));
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
