using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Layers of a residual block and an attention, then a 4×4 convolution of stride 2.</summary>
internal sealed class EagerDownBlock : EagerBlock
{
    [ComponentName(Name = "down_sample_conv")]
    private readonly Conv2d? _downsample;

    public EagerDownBlock(int inChannels, int outChannels, int timeDimension, bool downsamples, int layers)
        : base(nameof(EagerDownBlock), inChannels, outChannels, timeDimension, layers, layers)
    {
        _downsample = downsamples ? nn.Conv2d(outChannels, outChannels, 4L, stride: 2L, padding: 1L) : null;
        RegisterComponents();
    }

    public Tensor Run(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = images;
        for (var i = 0; i < Residuals; i++)
        {
            hidden = Attend(i, Residual(i, hidden, time));
        }

        return (_downsample is null ? hidden : _downsample.call(hidden)).MoveToOuterDisposeScope();
    }
}
