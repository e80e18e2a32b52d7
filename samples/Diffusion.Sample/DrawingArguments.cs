using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>The options that all commands share that draw with a trained network.</summary>
internal sealed record DrawingArguments(
    string Checkpoint, string Out, string? Sampler, int? Steps, string? Spacing, string? Schedule, double? Guidance, long? Label, long? Seed, int? Count)
{
    /// <summary>A run's sampling options with what the command line says instead.</summary>
    public SamplingOptions Over(SamplingOptions options) => Over(options, Sampler, Spacing) with
    {
        Steps = Steps ?? options.Steps,
        Seed = Seed ?? options.Seed,
        Guidance = Guidance ?? options.Guidance,
        Count = Count ?? options.Count,
    };

    /// <summary>Sampling options with another sampler and spacing. One that does not know clipping in the report alone uses what the network says, as that does.</summary>
    public static SamplingOptions Over(SamplingOptions options, string? sampler, string? spacing) => options with
    {
        Sampler = sampler ?? options.Sampler,
        Spacing = spacing ?? options.Spacing,
        Clipping = sampler is not (null or "ddpm") && options.Clipping == Clipping.ReportOnly ? Clipping.None : options.Clipping,
    };
}
