using System.Globalization;
using System.Text;
using Diffusion.Configuration;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The README.md of a model's folder: what its configuration and its weights say.</summary>
internal static class ModelCard
{
    /// <param name="folder">The folder, for its name.</param>
    /// <param name="options">The configuration.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="step">The step that they are of, where the run had more; <see langword="null"/> for a finished run.</param>
    public static string Write(string folder, RunOptions options, IReadOnlyDictionary<string, Tensor> weights, int? step)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        var card = new StringBuilder();
        Line($"# {name}");
        Line($"A diffusion model that draws images of {options.Data.Shape} (channels×height×width). It was trained with Diffusion for .NET.");
        Line("");
        Line("| | |");
        Line("|---|---|");
        Row("images", $"`{options.Data.Path}`{(options.NullLabel is { } classes ? $", {classes} classes{(options.Data.ClassNames is { } names ? $": {string.Join(", ", names)}" : "")}" : "")}");
        Row("network", string.Create(CultureInfo.InvariantCulture, $"{weights.Values.Sum(tensor => tensor.numel()):N0} parameters, {string.Join(" and ", weights.Values.Select(tensor => tensor.dtype).Distinct())}"));
        Row("diffusion", $"schedule {options.Diffusion.Schedule}, {options.Diffusion.Timesteps} timesteps, predicts {options.Diffusion.Prediction}");
        Row("training", $"{(step is { } done ? $"{done} of " : "")}{(options.Training.Steps is { } steps ? $"{steps} steps" : $"{options.Training.Epochs} epochs")} of {options.Training.BatchSize} images, seed {options.Training.Seed}");
        Row("drawing", Describe(options.Sampling));
        Line("");
        Line("```");
        Line($"sample --checkpoint {name}{(options.NullLabel is null ? "" : $" --label {Quoted(options.Data.ClassNames?[0] ?? "0")}")}");
        Line($"train --from {name} --steps N --out continued");
        Line("```");
        return card.ToString();

        void Line(string text) => card.Append(text).Append('\n');
        void Row(string what, string text) => Line($"| {what} | {text.Replace("|", "\\|", StringComparison.Ordinal)} |");
    }

    /// <summary>How a configuration draws.</summary>
    public static string Describe(SamplingOptions sampling)
    {
        var interval = (sampling.GuidanceSigmaMin, sampling.GuidanceSigmaMax) switch
        {
            (0, null) => "",
            (0, { } max) => FormattableString.Invariant($" up to σ/α {max}"),
            ({ } min, null) => FormattableString.Invariant($" above σ/α {min}"),
            ({ } min, { } max) => FormattableString.Invariant($" from σ/α {min} to {max}"),
        };
        return $"sampler {sampling.Sampler}, {(sampling.Steps is { } steps ? $"{steps} steps" : "all steps")}{(sampling.Spacing is { } spacing ? $", spacing {spacing}" : "")}{(sampling.Guidance == 1 ? "" : FormattableString.Invariant($", guidance {sampling.Guidance}{interval}"))}";
    }

    private static string Quoted(string name) => name.Contains(' ', StringComparison.Ordinal) ? $"\"{name}\"" : name;
}
