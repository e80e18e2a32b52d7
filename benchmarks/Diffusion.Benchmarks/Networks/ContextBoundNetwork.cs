using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A network of images, timesteps and a context with the context of each image of a batch bound to it, so that a loop for networks of two arguments runs it. Its weights have the network's names.</summary>
internal sealed class ContextBoundNetwork : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly nn.Module _network;
    private readonly Func<Tensor, Tensor, Tensor, Tensor> _run;
    private readonly Tensor _context;

    /// <param name="network">The network; this one owns it from now on.</param>
    /// <param name="run">Runs it on images, timesteps and a context.</param>
    /// <param name="context">[B, L, D] for the largest batch; this one owns it from now on.</param>
    public ContextBoundNetwork(nn.Module network, Func<Tensor, Tensor, Tensor, Tensor> run, Tensor context)
        : base(nameof(ContextBoundNetwork))
    {
        (_network, _run, _context) = (network, run, context.DetachFromDisposeScope());
        foreach (var (name, child) in network.named_children())
        {
            register_module(name, child);
        }
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <param name="timesteps">[B].</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor timesteps)
    {
        using var context = _context.narrow(0, 0, images.shape[0]); // [largest batch, L, D] → [B, L, D]
        return _run(images, timesteps, context);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _network.Dispose();
            _context.Dispose();
        }

        base.Dispose(disposing);
    }
}
