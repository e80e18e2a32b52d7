namespace Diffusion.Observers;

/// <summary>The held-out losses after a step.</summary>
/// <param name="Step">The step.</param>
/// <param name="Averaged">The mean loss with the averaged weights.</param>
/// <param name="Raw">The mean loss with the weights themselves.</param>
public sealed record ValidationResult(int Step, double Averaged, double Raw);
