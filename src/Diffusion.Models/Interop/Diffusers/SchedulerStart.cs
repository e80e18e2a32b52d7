namespace Diffusion.Models;

/// <summary>The standard deviation of the noise that a run begins with: init_noise_sigma of diffusers, for x at the schedule's own scale.</summary>
internal static class SchedulerStart
{
    private static readonly string[] s_inSigma =
    [
        "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler",
        "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler", "ScoreSdeVeScheduler",
    ];

    /// <param name="config">The scheduler.</param>
    /// <returns>From the first level to the standard deviation.</returns>
    public static Func<NoiseLevel, double> Of(SchedulerConfig config)
    {
        if (SchedulerTables.Schedule(config) is RectifiedFlowNoiseSchedule)
        {
            return _ => 1;
        }

        // Samplers in σ begin with σ_max·ε, with √(σ_max² + 1)·ε for leading timesteps; all others with what is 1 in a variance-preserving process.
        return s_inSigma.Contains(config.ClassName) && config.Spacing != "leading" ? level => level.Sigma : level => level.Scale;
    }
}
