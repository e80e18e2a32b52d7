using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

/// <summary>An even image of a grey that belongs to the label.</summary>
internal sealed class GreyNetwork : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "greys")]
    private readonly Parameter _greys = new(tensor([-1f, 0f, 1f, 0.5f]));

    public GreyNetwork()
        : base(nameof(GreyNetwork)) => RegisterComponents();

    public override Tensor forward(Tensor images, Tensor timesteps, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return ((images * 0) + _greys.index_select(0, labels).view(-1, 1, 1, 1)).MoveToOuterDisposeScope();
    }
}
