namespace Diffusion;

/// <summary>The progress of a sampling run.</summary>
/// <param name="Step">Steps done, from 1 to <paramref name="Steps"/>.</param>
/// <param name="Steps">Steps in all.</param>
public readonly record struct SamplingProgress(int Step, int Steps);
