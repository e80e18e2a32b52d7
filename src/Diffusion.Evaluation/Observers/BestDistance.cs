namespace Diffusion.Evaluation;

/// <summary>The smallest distance of a run.</summary>
/// <param name="Step">The step after which it was measured.</param>
/// <param name="FrechetDistance">The distance, at least 0.</param>
/// <param name="Bias">Its bias; <see langword="null"/> where it is not known.</param>
/// <param name="Remark">What else is to be known about the distance.</param>
/// <param name="Settings">How it was measured.</param>
internal sealed record BestDistance(int Step, double FrechetDistance, double? Bias, string? Remark, DistanceSettings Settings)
{
    /// <summary>The distance with its numbers of images.</summary>
    public DistanceEstimate ToEstimate() => new(FrechetDistance, null, Bias, Settings.Images, Settings.ReferenceImages) { Remark = Remark };
}
