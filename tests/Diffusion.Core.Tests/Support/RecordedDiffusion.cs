namespace Diffusion.Tests;

/// <summary>What the recorded cases of openai/improved-diffusion call their settings.</summary>
internal static class RecordedDiffusion
{
    public static INoiseSchedule Schedule(this GoldenCase golden)
    {
        var timesteps = golden.Constructor.GetProperty("T").GetInt32();
        return golden.Constructor.GetProperty("schedule").GetString() switch
        {
            "linear" => new LinearNoiseSchedule(timesteps),
            "cosine" => new CosineNoiseSchedule(timesteps),
            "linspace_1e-4_0.5" => new LinearNoiseSchedule(timesteps, 1e-4, 0.5),
            var other => throw new InvalidDataException($"Unknown schedule '{other}'."),
        };
    }

    public static Parameterization Parameterization(this GoldenCase golden, INoiseSchedule schedule) =>
        (golden.Constructor.TryGetProperty("model_mean_type", out var kind) ? kind.GetString() : "EPSILON") switch
        {
            "EPSILON" => Diffusion.Parameterization.Epsilon,
            "START_X" => Diffusion.Parameterization.Image,
            "PREVIOUS_X" => Diffusion.Parameterization.Previous(schedule),
            var other => throw new InvalidDataException($"Unknown prediction '{other}'."),
        };

    public static ReverseVariance Variance(this GoldenCase golden) => golden.Constructor.GetProperty("model_var_type").GetString() switch
    {
        "FIXED_SMALL" => ReverseVariance.FixedSmall,
        "FIXED_LARGE" => ReverseVariance.FixedLarge,
        "LEARNED" => ReverseVariance.Learned,
        "LEARNED_RANGE" => ReverseVariance.LearnedRange,
        var other => throw new InvalidDataException($"Unknown variance '{other}'."),
    };
}
