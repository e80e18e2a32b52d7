using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A U-Net that predicts from noisy images, timesteps and labels: the network for <see cref="ConditionalDenoiser"/>. It is a <see cref="UNet"/>
/// with the same layers under the same names, so that weights, optimizers and moving averages serve either.
/// </summary>
/// <remarks>Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233; Classifier-Free Diffusion Guidance, arXiv:2207.12598.</remarks>
public sealed class ConditionalUNet : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    /// <summary>Not registered under this name: its layers are, each under its own, so that the state dictionary is that of <see cref="UNet"/>.</summary>
    [ComponentName(Name = "network")]
    private readonly UNet _network;

    /// <summary>Makes the network that takes labels out of one that was built.</summary>
    /// <param name="network">A network whose options have labels; this one owns it from now on.</param>
    /// <exception cref="ArgumentException">The network has no labels.</exception>
    public ConditionalUNet(UNet network)
        : base(nameof(ConditionalUNet))
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.Options.Dialect.Labels is null)
        {
            throw new ArgumentException($"The network has no labels: {nameof(UNetDialect)}.{nameof(UNetDialect.Labels)} is not set.", nameof(network));
        }

        _network = network;
        foreach (var (name, child) in network.named_children())
        {
            register_module(name, child);
        }
    }

    /// <summary>The same layers as a network of two arguments, which this one owns.</summary>
    public UNet Network => _network;

    /// <summary>The block list that the network was made from.</summary>
    public UNetOptions Options => _network.Options;

    /// <summary>The number of trainable numbers.</summary>
    public long ParameterCount => _network.ParameterCount;

    /// <summary>Predicts.</summary>
    /// <param name="images">The noisy images, [B, C, H, W]; any height and width that the block list can halve.</param>
    /// <param name="timesteps">[B], or [1] for the whole batch.</param>
    /// <param name="labels">[B], or [1] for the whole batch; vectors where <see cref="LabelKind.Identity"/> takes them as they are.</param>
    /// <returns>[B, C out, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit, or a label is not in the table.</exception>
    public override Tensor forward(Tensor images, Tensor timesteps, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return _network.Predict(images, timesteps, labels);
    }

    /// <inheritdoc cref="UNet.ToString"/>
    public override string ToString() => _network.ToString();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _network.Dispose();
        }

        base.Dispose(disposing);
    }
}
