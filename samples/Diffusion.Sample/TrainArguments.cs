namespace Diffusion.Sample;

/// <summary>The options of the command <c>train</c>.</summary>
internal sealed record TrainArguments(
    string? Config, string? Codec, string? From, SourceArguments Source, int? Steps, int? StopAfter, long? Seed, string? Sampler, string? Spacing, string Out, bool Resume, bool OtherImages);
