using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Denoisers around denoisers, written one after the other: <c>denoiser.Guided(unconditional, 3).Limited(ImageLimit.Clip())</c>.</summary>
public static class DenoiserExtensions
{
    /// <summary>Keeps the predicted images within a limit.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="limit">What is done to its images.</param>
    /// <returns>The limited denoiser.</returns>
    public static LimitedDenoiser Limited(this IDenoiser denoiser, ImageLimit limit) => new(denoiser, limit);

    /// <summary>Runs the network in a precision: <c>trainer.Ema.In(ComputePrecision.BFloat16)</c>. Without it denoisers compute in float32, in whatever precision their network was trained.</summary>
    /// <param name="denoiser">The denoiser, with all that is around it, or without.</param>
    /// <param name="precision">The precision of networks that follow <see cref="MixedPrecision"/>. Images stay in the type that they are given in. On a CPU that cannot use bfloat16 (<see cref="Processor.UsesBFloat16"/>) networks compute in float32 either way.</param>
    /// <returns>The denoiser in this precision.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such precision.</exception>
    public static IDenoiser In(this IDenoiser denoiser, ComputePrecision precision)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        return Enum.IsDefined(precision)
            ? new PrecisionDenoiser(denoiser, precision)
            : throw new ArgumentOutOfRangeException(nameof(precision), precision, "There is no such precision.");
    }

    /// <summary>Classifier-free guidance by a scale alone.</summary>
    /// <param name="conditional">The denoiser that knows the labels.</param>
    /// <param name="unconditional">The denoiser that does not.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    /// <returns>The guided denoiser.</returns>
    public static ClassifierFreeGuidance Guided(this IDenoiser conditional, IDenoiser unconditional, double scale) =>
        new(conditional, unconditional, scale);

    /// <summary>Classifier-free guidance.</summary>
    /// <param name="conditional">The denoiser that knows the labels.</param>
    /// <param name="unconditional">The denoiser that does not.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    /// <returns>The guided denoiser.</returns>
    public static ClassifierFreeGuidance Guided(this IDenoiser conditional, IDenoiser unconditional, GuidanceOptions options) =>
        new(conditional, unconditional, options);

    /// <summary>Classifier-free guidance of a network by the labels of the images and its own null label.</summary>
    /// <param name="network">The network, with a null label.</param>
    /// <param name="labels">One label an image, each at least 0; one label alone serves a batch of any size.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    /// <returns>The guided denoiser, which calls the network once on a batch of twice the size.</returns>
    /// <exception cref="InvalidOperationException">The network has no null label.</exception>
    public static ClassifierFreeGuidance Guided(this ConditionalDenoiser network, ReadOnlySpan<long> labels, double scale) =>
        network.Guided(labels, new GuidanceOptions { Scale = scale });

    /// <inheritdoc cref="Guided(ConditionalDenoiser, ReadOnlySpan{long}, double)"/>
    /// <param name="network">The network, with a null label.</param>
    /// <param name="labels">One label an image, each at least 0; one label alone serves a batch of any size.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    public static ClassifierFreeGuidance Guided(this ConditionalDenoiser network, ReadOnlySpan<long> labels, GuidanceOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new(network.With(labels), network.Unlabelled, options);
    }

    /// <summary>Classifier-free guidance of a network by a context and its own null context.</summary>
    /// <param name="network">The network, with a null context.</param>
    /// <param name="context">[B, L, D], one an image, or [1, L, D] for a batch of any size.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    /// <returns>The guided denoiser, which calls the network once on a batch of twice the size where both contexts have the same length.</returns>
    /// <exception cref="InvalidOperationException">The network has no null context.</exception>
    public static ClassifierFreeGuidance Guided(this ContextDenoiser network, Tensor context, double scale) =>
        network.Guided(context, new GuidanceOptions { Scale = scale });

    /// <inheritdoc cref="Guided(ContextDenoiser, Tensor, double)"/>
    /// <param name="network">The network, with a null context.</param>
    /// <param name="context">[B, L, D], one an image, or [1, L, D] for a batch of any size.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    public static ClassifierFreeGuidance Guided(this ContextDenoiser network, Tensor context, GuidanceOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new(network.With(context), network.Unconditional, options);
    }
}
