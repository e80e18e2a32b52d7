using System.Globalization;

namespace Diffusion;

/// <summary>An objective in names and numbers, for the manifest of a checkpoint.</summary>
internal static class ObjectiveDescription
{
    /// <summary>The key of the weights, which manifests of older versions lack: what they say of an objective is less than this.</summary>
    public const string Weights = "weights";

    public static IReadOnlyDictionary<string, string> Of(TrainingObjective objective, NetworkConditions conditions, INoiseSchedule schedule, Parameterization parameterization) => new Dictionary<string, string>
    {
        ["loss"] = objective.Loss.Description,
        ["weighting"] = objective.Weighting.Name,
        [Weights] = string.Join(' ', CheckpointSchedule.Compared(schedule).Select(level => objective.Weighting.At(level, parameterization).ToString("G4", CultureInfo.InvariantCulture))),
        ["timesteps"] = objective.Timesteps.Description,
        ["offsetNoise"] = Number(objective.OffsetNoise),
        ["immiscible"] = objective.Immiscible ? "true" : "false",
        ["selfConditioning"] = objective.SelfConditioning is { } share ? Number(share) : "none",
        ["variational"] = objective.Variational is { } term ? $"{term.Variance} {Number(term.Weight)}{(term.IsWhole ? " whole" : "")}" : "none",
        ["condition"] = (conditions.TakesLabels, conditions.TakesContext) switch
        {
            (true, true) => "labels and context",
            (true, false) => "labels",
            (false, true) => "context",
            _ => "none",
        },
        ["conditionDropout"] = Number(TrainingLoss.ConditionDropout(conditions, objective)),
    };

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
