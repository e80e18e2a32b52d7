namespace Diffusion.Evaluation;

/// <summary>The Fréchet distance.</summary>
public static class FrechetDistance
{
    /// <summary>The distance of two sets.</summary>
    public static DistanceEstimate Between(FeatureStatistics images, FeatureStatistics reference) => throw new NotSupportedException();
}
