using System.Text.Json;
using Diffusion.Configuration;
using Diffusion.Models;

namespace Diffusion.Sample;

/// <summary>From a noise schedule to the options of a configuration that name it.</summary>
internal static class DiffusionNames
{
    // Between a table in Float64 and the same as diffusers rounds it.
    private const double Rounding = 1e-5;

    /// <summary>The options with this schedule, but for rounding.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="prediction">What the network predicts.</param>
    /// <param name="scheduler">The scheduler that has it.</param>
    /// <returns><see langword="null"/> where no options name it.</returns>
    public static DiffusionOptions? Find(INoiseSchedule schedule, Parameterization prediction, DiffusersScheduler scheduler)
    {
        if (!Parameterization.All.Any(each => each.Name == prediction.Name))
        {
            return null;
        }

        var (start, end) = Betas(scheduler);
        var plain = new DiffusionOptions { Timesteps = schedule.Timesteps, Prediction = prediction.Name };
        return NoiseSchedule.Names.Select(name => plain with { Schedule = name }).Append(plain with { Schedule = "linear", BetaStart = start, BetaEnd = end })
            .FirstOrDefault(options => !options.Validate().Any() && Agree(options.CreateSchedule(), schedule));
    }

    private static bool Agree(INoiseSchedule one, INoiseSchedule other) =>
        Enumerable.Range(0, other.Timesteps).All(t => Near(one.LevelAt(t), other.LevelAt(t)));

    private static bool Near(NoiseLevel one, NoiseLevel other) =>
        Math.Abs(one.Alpha - other.Alpha) < Rounding && Math.Abs(one.Sigma - other.Sigma) < Rounding * Math.Max(1, other.Sigma) && Math.Abs(one.Timestep - other.Timestep) < Rounding * Math.Max(1, other.Timestep);

    private static (double Start, double End) Betas(DiffusersScheduler scheduler)
    {
        using var json = JsonDocument.Parse(scheduler.ToJson());
        return (Number("beta_start", 1e-4), Number("beta_end", 0.02));

        double Number(string name, double otherwise) =>
            json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : otherwise;
    }
}
