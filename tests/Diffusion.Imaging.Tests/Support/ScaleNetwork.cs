using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

/// <summary>The noisy image times a number that is learned.</summary>
internal sealed class ScaleNetwork : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "factor")]
    private readonly Parameter _factor = new(zeros(1));

    public ScaleNetwork()
        : base(nameof(ScaleNetwork)) => RegisterComponents();

    public override Tensor forward(Tensor images, Tensor timesteps) => images * _factor;
}
