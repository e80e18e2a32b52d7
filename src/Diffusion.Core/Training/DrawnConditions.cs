using System.Globalization;

namespace Diffusion;

/// <summary>The conditions of the images that an observer draws: one that is given, else all classes in turn where the network takes labels and the images have them, else none.</summary>
internal sealed class DrawnConditions
{
    private readonly Condition? _given;
    private readonly GuidanceOptions _guidance;
    private readonly bool _clip;

    /// <summary>Finds out before the first step whether the network can be given them.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="images">The training images.</param>
    /// <param name="given">The condition of all images, or one for each; <see langword="null"/> for the classes in turn.</param>
    /// <param name="guidance">Classifier-free guidance; a scale of 1 for none.</param>
    /// <param name="clip">Whether each predicted image is clipped to [−1, 1].</param>
    /// <param name="what">What is drawn, for messages: "Previews".</param>
    /// <exception cref="InvalidOperationException">The network takes a condition and there is none, or there is guidance and no condition or null condition.</exception>
    /// <exception cref="ArgumentException">The network does not take the condition.</exception>
    public DrawnConditions(Trainer trainer, IImageSource images, Condition? given, GuidanceOptions guidance, bool clip, string what)
    {
        var network = trainer.Conditions;
        (_given, _guidance, _clip) = (given, guidance, clip);
        Classes = network.TakesLabels && given is null ? images.Classes : 0;
        if (guidance.Scale != 1 && ((given is null && Classes == 0) || !network.HasNone))
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{what} with guidance need a condition (a Condition, or images with labels) and a trainer with a null condition; Guidance is {guidance.Scale}."));
        }

        if (given is null && !network.HasNone && (network.TakesContext || (network.TakesLabels && Classes == 0)))
        {
            throw new InvalidOperationException($"The network takes a condition, and {what.ToLowerInvariant()} have none: set Condition.");
        }

        network.CheckTaken(given ?? Condition.None, nameof(given));
    }

    /// <summary>The classes that are drawn in turn; 0 where they are not.</summary>
    public int Classes { get; }

    /// <summary>The denoiser of a batch.</summary>
    /// <param name="denoiser">The network.</param>
    /// <param name="first">The number of the batch's first image.</param>
    /// <param name="count">The images of the batch.</param>
    public IDenoiser Bind(IDenoiser denoiser, int first, int count)
    {
        denoiser = denoiser.With(_given ?? (Classes > 0 ? Condition.OfLabels([.. Enumerable.Range(first, count).Select(i => (long)(i % Classes))]) : Condition.None));
        denoiser = _guidance.Scale == 1 ? denoiser : denoiser.Guided(_guidance);
        return _clip ? denoiser.Limited(ImageLimit.Clip()) : denoiser;
    }
}
