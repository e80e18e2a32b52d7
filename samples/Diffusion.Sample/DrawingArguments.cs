using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>The options that all commands share that draw with a trained network.</summary>
internal sealed record DrawingArguments(
    string Checkpoint, string Out, string? Sampler, int? Steps, string? Spacing, string? Schedule, double? Guidance, (double? SigmaMin, double? SigmaMax) Interval, string? Label, long? Seed, int? Count, SourceArguments Source)
{
    /// <summary>A checkpoint and a folder alone: everything else is as the checkpoint's configuration says.</summary>
    public static DrawingArguments Of(string checkpoint, string folder) =>
        new(checkpoint, folder, Sampler: null, Steps: null, Spacing: null, Schedule: null, Guidance: null, default, Label: null, Seed: null, Count: null, SourceArguments.None);

    /// <summary>A run's sampling options with what the command line says instead.</summary>
    public SamplingOptions Over(SamplingOptions options) => Over(options, Sampler, Spacing) with
    {
        Steps = Steps ?? options.Steps,
        Seed = Seed ?? options.Seed,
        Guidance = Guidance ?? options.Guidance,
        GuidanceSigmaMin = Interval.SigmaMin ?? options.GuidanceSigmaMin,
        GuidanceSigmaMax = Interval.SigmaMax ?? options.GuidanceSigmaMax,
        Count = Count ?? options.Count,
    };

    /// <summary>For commands that draw without a label unless one is given, which leaves guidance nothing to do.</summary>
    /// <exception cref="UsageException">Guidance is asked for, and no label.</exception>
    public void ThrowIfGuidedWithoutLabel() =>
        UsageException.IfUnused("without --label images are changed as of no class.", [("--guidance", Guidance is not (null or 1) && Label is null), .. GivenInterval(Label is null)]);

    /// <summary>The options of the interval of guidance that stand on the command line.</summary>
    /// <param name="among">Whether they count.</param>
    public (string Option, bool Given)[] GivenInterval(bool among) => [("--guidance-sigma-min", among && Interval.SigmaMin is not null), ("--guidance-sigma-max", among && Interval.SigmaMax is not null)];

    /// <summary>Sampling options with another sampler and spacing.</summary>
    public static SamplingOptions Over(SamplingOptions options, string? sampler, string? spacing) => options with
    {
        Sampler = sampler ?? options.Sampler,
        Spacing = spacing ?? options.Spacing,
    };
}
