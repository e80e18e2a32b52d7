using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A residual block, then layers of an attention and a residual block.</summary>
internal sealed class EagerMidBlock : EagerBlock
{
    public EagerMidBlock(int inChannels, int outChannels, int timeDimension, int layers)
        : base(nameof(EagerMidBlock), inChannels, outChannels, timeDimension, layers + 1, layers) => RegisterComponents();

    public Tensor Run(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = Residual(0, images, time);
        for (var i = 1; i < Residuals; i++)
        {
            hidden = Residual(i, Attend(i - 1, hidden), time);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
