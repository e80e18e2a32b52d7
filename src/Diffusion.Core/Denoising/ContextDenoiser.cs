using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A trained network that is given a context, such as the tokens of an encoded text. It becomes a denoiser when one is bound to it:
/// <c>network.With(context)</c>, <c>network.Unconditional</c> or, with guidance, <c>network.Guided(context, scale)</c>.
/// </summary>
/// <remarks>
/// High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3; the context that stands for none:
/// Classifier-Free Diffusion Guidance, arXiv:2207.12598, section 3.2.
/// </remarks>
public sealed class ContextDenoiser
{
    private readonly nn.Module<Tensor, Tensor, Tensor, Tensor> _network;
    private readonly BoundContext? _unconditional;

    /// <summary>Wraps a network; the caller keeps owning it and the context.</summary>
    /// <param name="network">Takes the noisy images [B, C, H, W], timesteps [B] (Int64; float32 where a sampler or the schedule asks for a fraction) and a context [B, L, D] in the network's type and returns [B, C, H, W], or [B, 2·C, H, W] with a learned variance.</param>
    /// <param name="schedule">The schedule that the network was trained with.</param>
    /// <param name="parameterization">What the network predicts; <see cref="Parameterization.Epsilon"/> by default.</param>
    /// <param name="nullContext">What the network was trained to read as "no context", [1, L, D], such as the encoding of an empty text; <see langword="null"/> (default) if it has none.</param>
    /// <exception cref="ArgumentException">The null context has another shape.</exception>
    public ContextDenoiser(
        nn.Module<Tensor, Tensor, Tensor, Tensor> network, INoiseSchedule schedule, Parameterization? parameterization = null, Tensor? nullContext = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(schedule);
        if (nullContext is not null && (nullContext.dim() != 3 || nullContext.shape[0] != 1))
        {
            throw new ArgumentException($"The null context must have the shape [1, L, D]; it has [{string.Join(", ", nullContext.shape)}].", nameof(nullContext));
        }

        _network = network;
        _unconditional = nullContext is null ? null : new BoundContext(this, nullContext);
        Schedule = schedule;
        Parameterization = parameterization ?? Parameterization.Epsilon;
    }

    /// <summary>The schedule that the network was trained with.</summary>
    public INoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization { get; }

    /// <summary>Where the network computes.</summary>
    public Device Device => _network.parameters().FirstOrDefault()?.device ?? CPU;

    /// <summary>The denoiser of images without a context, for batches of any size.</summary>
    /// <exception cref="InvalidOperationException">There is no null context.</exception>
    public IDenoiser Unconditional => _unconditional
        ?? throw new InvalidOperationException("Without a context the network needs the one that it reads as \"no context\"; give nullContext to the constructor.");

    /// <summary>Binds a context to the images of the batch.</summary>
    /// <param name="context">[B, L, D], one an image, or [1, L, D] for a batch of any size. The caller keeps owning it and leaves it alone while the denoiser is used.</param>
    /// <returns>The denoiser of images with this context. Guidance between two contexts of the same length calls the network once.</returns>
    /// <exception cref="ArgumentException">The context has another rank or no token.</exception>
    public IDenoiser With(Tensor context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.dim() == 3 && context.numel() > 0
            ? new BoundContext(this, context)
            : throw new ArgumentException($"A context must have the shape [images, L, D], none of them 0; it has [{string.Join(", ", context.shape)}].", nameof(context));
    }

    /// <summary>One call of the network.</summary>
    internal Prediction Predict(Tensor noisy, NoiseLevel level, Tensor context) => NetworkRun.Predict(
        _network, Parameterization, noisy, level, (input, timesteps) => _network.call(input, timesteps, context.to(input.device).to(input.dtype)));
}
