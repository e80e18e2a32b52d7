namespace Diffusion.Benchmarks;

/// <summary>What training a run took.</summary>
/// <param name="Steps">The steps.</param>
/// <param name="Seconds">The time of them all; <see langword="null"/> where the run was interrupted and resumed.</param>
internal sealed record TrainingTime(int Steps, double? Seconds);
