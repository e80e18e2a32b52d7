namespace Diffusion.Sample;

/// <summary>The options of the command <c>train</c>.</summary>
internal sealed record TrainArguments(
    string? Config, int? Steps, int? StopAfter, long? Seed, string? Schedule, string? Sampler, string? Spacing, string Out, bool Resume, bool OtherImages);
