namespace Diffusion.Evaluation;

/// <summary>How a distance was measured: distances with other settings cannot be compared.</summary>
/// <param name="Features">The name of the features.</param>
/// <param name="Reference">What the statistics of the reference are of.</param>
/// <param name="ReferenceImages">The images of the reference; <see langword="null"/> where it is not known.</param>
/// <param name="Images">The images that are drawn.</param>
/// <param name="BatchSize">Those that are drawn at once.</param>
/// <param name="Sampler">The sampler's type.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="Guidance">The scale of guidance.</param>
/// <param name="GuidanceSigmaMin">The σ/α above which there is guidance.</param>
/// <param name="GuidanceSigmaMax">The σ/α up to which there is; <see langword="null"/> for all.</param>
/// <param name="Condition">The condition of all images; <see langword="null"/> for the classes in turn, or none.</param>
/// <param name="Clip">Whether each predicted image is clipped.</param>
/// <param name="Seed">The seed of the noise.</param>
/// <param name="Spacing">Where the steps lie; <see langword="null"/> where an older version wrote it.</param>
/// <param name="SamplerTrace">What the sampler draws, <see cref="Evaluation.SamplerTrace"/>: it tells samplers of one type with other options apart. <see langword="null"/> where an older version wrote it.</param>
internal sealed record DistanceSettings(
    string Features, string Reference, long? ReferenceImages, int Images, int BatchSize, string Sampler, int Steps, double Guidance, double GuidanceSigmaMin, double? GuidanceSigmaMax, string? Condition, bool Clip, long Seed,
    string? Spacing = null, IReadOnlyList<double>? SamplerTrace = null)
{
    /// <summary>These settings, but what is not known of them, or is the same up to rounding, as in others.</summary>
    public DistanceSettings KnownAs(DistanceSettings other) => this with
    {
        Spacing = Spacing ?? other.Spacing,
        SamplerTrace = SamplerTrace is { } mine && other.SamplerTrace is { } theirs && !Evaluation.SamplerTrace.AreSame(mine, theirs) ? mine : other.SamplerTrace,
    };
}
