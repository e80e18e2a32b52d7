namespace Diffusion.Models;

/// <summary>What networks of the same block list differ in. The defaults are the course's; the dialects of others are in <see cref="UNetPresets"/>.</summary>
public sealed record UNetDialect : IValidatedOptions
{
    /// <summary>The residual blocks.</summary>
    public ResidualOptions Residual { get; init; } = new();

    /// <summary>The self-attentions.</summary>
    public AttentionOptions Attention { get; init; } = new();

    /// <summary>The time embedding.</summary>
    public TimeEmbeddingOptions Time { get; init; } = new();

    /// <summary>The labels of images; <see langword="null"/> (default): none.</summary>
    public LabelOptions? Labels { get; init; }

    /// <summary>The context of images, which blocks with attention attend to; <see langword="null"/> (default): none.</summary>
    public ContextOptions? Context { get; init; }

    /// <summary>What is joined across; one connection a block by default.</summary>
    public SkipConnections Skips { get; init; } = SkipConnections.Block;

    /// <summary>The channels that are given to the network besides those of the image: a condition, or the estimate of self-conditioning. At least 0; 0 by default.</summary>
    public int ExtraChannels { get; init; }

    /// <summary>The channels that leave the network, at least 1; <see langword="null"/> (default): those of the image. Twice as many for a learned variance.</summary>
    public int? OutChannels { get; init; }

    /// <summary>
    /// p, at least 1 and a divisor of the height and width: patches of p×p pixels become the channels of one (pixel unshuffle), the whole network works on an image of H/p × W/p, and what leaves it is
    /// spread over the pixels again. 1 by default: no patches. With 2 every block has a quarter of the positions to compute. Efficient Sub-Pixel Convolution, arXiv:1609.05158; in denoisers: simple diffusion, arXiv:2301.11093.
    /// </summary>
    public int PatchSize { get; init; } = 1;

    /// <summary>Whether what enters is 2·x − 1: images given in [0, 1]. Off by default.</summary>
    public bool CenterInput { get; init; }

    /// <summary>Whether what leaves is divided by the timestep, which is then a noise level above 0. Off by default.</summary>
    public bool DivideByTime { get; init; }

    /// <summary>
    /// Whether layers are computed a second time in the backward pass instead of keeping what that needs: less memory, more time, the same
    /// gradients to rounding (arXiv:1604.06174, section 4). Off by default; changes nothing without gradients. For modules of your own: <c>Checkpoint</c> of <see cref="Layers"/>.
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        foreach (var error in (IEnumerable<OptionsError>)
        [
            .. Residual.Validate().Select(error => error.Under(nameof(Residual))),
            .. Attention.Validate().Select(error => error.Under(nameof(Attention))),
            .. Time.Validate().Select(error => error.Under(nameof(Time))),
            .. (Labels?.Validate() ?? []).Select(error => error.Under(nameof(Labels))),
            .. (Context?.Validate() ?? []).Select(error => error.Under(nameof(Context))),
            .. OptionsValidation.Range(ExtraChannels, nameof(ExtraChannels), 0),
            .. OptionsValidation.Range(OutChannels ?? 1, nameof(OutChannels), 1),
        ])
        {
            yield return error;
        }

        if (!Enum.IsDefined(Skips))
        {
            yield return new OptionsError(nameof(Skips), $"must be one of {string.Join(", ", Enum.GetNames<SkipConnections>())}; it is {Skips}.");
        }
    }
}
