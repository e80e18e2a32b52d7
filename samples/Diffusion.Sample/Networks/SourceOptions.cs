using System.CommandLine;

namespace Diffusion.Sample;

/// <summary>The command-line options about networks of diffusers, which the commands share that draw with a network or begin with one.</summary>
internal static class SourceOptions
{
    public static readonly Option<string?> Variant = new("--variant") { Description = "Which weights of a folder of diffusers: fp16 for diffusion_pytorch_model.fp16.safetensors." };

    public static readonly Option<string[]> IgnoreKey = new("--ignore-key") { Description = "A key of scheduler_config.json that is of no scheduler class, to pass over; it can be given several times." };

    private static readonly Option<string?> s_prediction = new("--prediction") { Description = $"What the network predicts: {string.Join(", ", Parameterization.All)}. train chooses it, instead of the configuration's; a trained network has its own, but for a network of diffusers without a scheduler, epsilon by default." };
    private static readonly Option<FileInfo?> s_network = new("--network") { Description = "The config.json of diffusers for weights that have none beside them." };
    private static readonly Option<long?> s_nullLabel = NumberOption.Optional<long>("--null-label", "The label that stands for no class, which guidance needs, for a class-conditional network of diffusers whose folder does not say it.");

    public static IReadOnlyList<Option> All { get; } = [s_prediction, Variant, s_network, s_nullLabel, IgnoreKey];

    /// <summary>Those of a network that a run begins with.</summary>
    public static IReadOnlyList<Option> Initial { get; } = [s_prediction, Variant, s_network, IgnoreKey];

    public static SourceArguments Read(ParseResult arguments, string? schedule) =>
        new(schedule, arguments.GetValue(s_prediction), arguments.GetValue(Variant), arguments.GetValue(s_network)?.FullName, arguments.GetValue(s_nullLabel), arguments.GetValue(IgnoreKey) ?? []);
}
