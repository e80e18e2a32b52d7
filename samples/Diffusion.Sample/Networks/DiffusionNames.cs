using System.Globalization;
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

        var betas = new[] { Written(scheduler), Rounded(schedule) }.OfType<(double Start, double End)>();
        var plain = new DiffusionOptions { Timesteps = schedule.Timesteps, Prediction = prediction.Name };
        return NoiseSchedule.Names.Select(name => plain with { Schedule = name }).Concat(betas.Select(beta => plain with { Schedule = "linear", BetaStart = beta.Start, BetaEnd = beta.End }))
            .FirstOrDefault(options => !options.Validate().Any() && Agree(options.CreateSchedule(), schedule));
    }

    /// <summary>Whether two options name the same schedule, but for rounding, and the same prediction.</summary>
    public static bool Same(DiffusionOptions one, DiffusionOptions other) =>
        one == other || (one.Timesteps == other.Timesteps && one.CreateParameterization().Name == other.CreateParameterization().Name && Agree(one.CreateSchedule(), other.CreateSchedule()));

    private static bool Agree(INoiseSchedule one, INoiseSchedule other) =>
        Enumerable.Range(0, other.Timesteps).All(t => Near(one.LevelAt(t), other.LevelAt(t)));

    private static bool Near(NoiseLevel one, NoiseLevel other) =>
        Math.Abs(one.Alpha - other.Alpha) < Rounding && Math.Abs(one.Sigma - other.Sigma) < Rounding * Math.Max(1, other.Sigma) && Math.Abs(one.Timestep - other.Timestep) < Rounding * Math.Max(1, other.Timestep);

    /// <summary>The first and the last β that the text of a scheduler writes, if it does.</summary>
    private static (double Start, double End)? Written(DiffusersScheduler scheduler)
    {
        using var json = JsonDocument.Parse(scheduler.ToJson());
        return Number("beta_start") is { } start && Number("beta_end") is { } end ? (start, end) : null;

        double? Number(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
    }

    /// <summary>The first and the last β of a schedule, of which a table in Float32 keeps few digits.</summary>
    private static (double Start, double End)? Rounded(INoiseSchedule schedule)
    {
        var last = schedule.Timesteps - 1;
        return last == 0 ? null : (Beta(schedule.LevelAt(0).Alpha), Beta(schedule.LevelAt(last).Alpha / schedule.LevelAt(last - 1).Alpha));

        static double Beta(double alpha) => double.Parse((1 - (alpha * alpha)).ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
