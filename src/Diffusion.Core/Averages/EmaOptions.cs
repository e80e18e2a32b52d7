namespace Diffusion;

/// <summary>The exponential moving average of the weights, which samples better than the weights themselves.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B, uses 0.9999. The warm-up min(decay, (1 + n)/(10 + n)) after n
/// updates keeps the random start out of the average of a short run; with <see cref="Power"/> it is min(decay, 1 − (1 + n/γ)^(−power)), the form of ema-pytorch,
/// k-diffusion and diffusers. <see cref="HalfLife"/> is the form of EDM, arXiv:2206.00364, appendix F.2: 0.5^(B/h), with B images from one update to the next; <see cref="RelativeWidth"/> that of EDM2; each replaces decay and warm-up.
/// </remarks>
public sealed record EmaOptions : IValidatedOptions
{
    /// <summary>The share of the old average that an update keeps, in [0, 1); 0.9999 by default. 0 turns averaging off: the average is the weights.</summary>
    public double Decay { get; init; } = 0.9999;

    /// <summary>Whether the decay starts small and grows to <see cref="Decay"/>; on by default.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>The power of the warm-up; <see langword="null"/> (default) for the form without. 2/3 suits runs of up to a million steps, 3/4 shorter ones.</summary>
    public double? Power { get; init; }

    /// <summary>γ, above 0: stretches the warm-up with a power; 1 by default.</summary>
    public double InverseGamma { get; init; } = 1;

    /// <summary>The smallest decay of the warm-up with a power, in [0, 1); 0 by default.</summary>
    public double MinDecay { get; init; }

    /// <summary>Updates in which the average is just set to the weights, at least 0; 0 by default. The warm-up counts from there.</summary>
    public int StartAfter { get; init; }

    /// <summary>Optimizer steps from one update to the next, at least 1; 1 by default.</summary>
    public int Every { get; init; } = 1;

    /// <summary>
    /// After how many images a set of weights counts half as much, above 0, in place of <see cref="Decay"/> and its warm-up: it means the same for every batch size. EDM has 500,000.
    /// <see langword="null"/> by default.
    /// </summary>
    public double? HalfLife { get; init; }

    /// <summary>In the beginning <see cref="HalfLife"/> is at most this share of the images seen; 0.05 by default. 0 for no such limit.</summary>
    public double HalfLifeRampUp { get; init; } = 0.05;

    /// <summary>
    /// Averages by a power function, in place of <see cref="Decay"/> and its warm-up: σ_rel, in (0, 0.28], the width of what is averaged as a share of the run so far. 0.05
    /// to 0.15 is usual. Two of them and <see cref="CheckpointOptions.SnapshotEvery"/> let <see cref="PostHocEma"/> make others after the run. <see langword="null"/> by default.
    /// </summary>
    public double? RelativeWidth { get; init; }

    /// <summary>More averages of the same run, none by default; <c>trainer.Averages[1]</c> is the first of them. They have no others themselves.</summary>
    public IReadOnlyList<EmaOptions> Others { get; init; } = [];

    /// <summary>The decay of an update.</summary>
    /// <param name="update">The number of updates before this one, at least 0.</param>
    /// <param name="batchSize">Images a step, at least 1: what <see cref="HalfLife"/> counts.</param>
    /// <returns>The share of the old average that is kept.</returns>
    public double DecayAt(long update, int batchSize = 1)
    {
        if (RelativeWidth is { } width)
        {
            return PowerFunction.OfWidth(width).DecayAt(update);
        }

        if (HalfLife is { } halfLife)
        {
            var images = HalfLifeRampUp > 0 ? Math.Min(halfLife, update * (double)batchSize * HalfLifeRampUp) : halfLife;
            return images == 0 ? 0 : Math.Pow(0.5, (double)batchSize * Every / images);
        }

        var counted = update - StartAfter;
        if (counted < 0 || (counted == 0 && (StartAfter > 0 || Power is not null)))
        {
            return 0;
        }

        return !WarmUp ? Decay
            : Power is { } power ? Math.Clamp(1 - Math.Pow(1 + (counted / InverseGamma), -power), Math.Min(MinDecay, Decay), Decay)
            : Math.Min(Decay, (1.0 + counted) / (10.0 + counted));
    }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Decay, nameof(Decay), 0, 0.9999999),
        .. OptionsValidation.Range(Power ?? 1, nameof(Power), 1e-6, 100.0),
        .. OptionsValidation.Range(InverseGamma, nameof(InverseGamma), 1e-6, 1e12),
        .. OptionsValidation.Range(MinDecay, nameof(MinDecay), 0, 0.9999999),
        .. OptionsValidation.Range(StartAfter, nameof(StartAfter), 0),
        .. OptionsValidation.Range(Every, nameof(Every), 1),
        .. OptionsValidation.Range(RelativeWidth ?? 0.1, nameof(RelativeWidth), 1e-4, PowerFunction.MaxWidth),
        .. OptionsValidation.Range(HalfLife ?? 1, nameof(HalfLife), 1e-3, 1e15),
        .. OptionsValidation.Range(HalfLifeRampUp, nameof(HalfLifeRampUp), 0, 1e9),
        .. new[] { (nameof(Power), Power is not null), (nameof(HalfLife), HalfLife is not null), (nameof(RelativeWidth), RelativeWidth is not null) }.Where(form => form.Item2).Select(form => form.Item1).ToList() is { Count: > 1 } forms
            ? [new OptionsError(forms[0], $"and {string.Join(" and ", forms.Skip(1))} exclude each other; give one of them.")]
            : Array.Empty<OptionsError>(),
        .. RelativeWidth is not null && Every != 1 ? [new OptionsError(nameof(Every), $"must be 1 with {nameof(RelativeWidth)}; it is {Every}.")] : Array.Empty<OptionsError>(),
        .. Others.SelectMany((other, i) => (other.Others.Count > 0
            ? other.Validate().Append(new OptionsError(nameof(Others), $"must be empty in one of the others; there are {other.Others.Count}."))
            : other.Validate()).Select(error => error.Under($"{nameof(Others)}[{i}]"))),
    ];
}
