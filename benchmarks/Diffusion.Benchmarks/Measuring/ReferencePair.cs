using Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The reference network twice, with the same weights: of this library and eager.</summary>
internal sealed class ReferencePair : IDisposable
{
    public ReferencePair(EagerUNetOptions options, int size, Device? device = null)
    {
        Image = new ImageShape(options.ImageChannels, size, size);
        Ours = UNetBuilder.From(options.Ours(size)).Build();
        Eager = new EagerUNet(options);
        Weights.Load(Eager, KeyMap.Course.ToTheirs(Ours.state_dict()));
        Ours.to(device ?? CPU);
        Eager.to(device ?? CPU);
    }

    public ImageShape Image { get; }

    public UNet Ours { get; }

    public EagerUNet Eager { get; }

    public void Dispose()
    {
        Eager.Dispose();
        Ours.Dispose();
    }
}
