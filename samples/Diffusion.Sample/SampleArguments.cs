namespace Diffusion.Sample;

/// <summary>The options of the command <c>sample</c>.</summary>
internal sealed record SampleArguments(string Checkpoint, int? Count, int? Steps, long? Seed, string Out, bool Raw);
