using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Other projects' names for weights, some of which depend on what the network is.</summary>
internal static class WeightDialects
{
    /// <summary>The key under which convert stores what a network of diffusers is with its weights.</summary>
    public const string NetworkKey = "diffusers.network";

    private const string Diffusers = "diffusers";
    private const string OpenAI = "openai";
    private const string DescriptionFile = "config.json";

    public static IReadOnlyList<string> Names { get; } = [.. KeyMap.Names, Diffusers, OpenAI];

    /// <summary>Whether a name is that of diffusers.</summary>
    public static bool IsDiffusers(string? name) => Diffusers.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the names depend on what the network is. Of names that are no dialect's <see cref="Find"/> says so.</summary>
    public static bool NeedDescription(string name) => IsDiffusers(name) || !KeyMap.Names.Contains(name.ToLowerInvariant());

    /// <summary>Metadata with what the network is, where it is of diffusers and the names are changed to this library's: then the commands that draw can use the file.</summary>
    public static IReadOnlyDictionary<string, string> WithNetwork(IReadOnlyDictionary<string, string> metadata, string? dialect, bool reverse, string? description) =>
        reverse || !IsDiffusers(dialect) || description is null ? metadata : new Dictionary<string, string>(metadata) { [NetworkKey] = File.ReadAllText(description) };

    /// <summary>The config.json in the folder of the weights, if there is one.</summary>
    public static string? DescriptionBeside(string weights) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, DescriptionFile) is var path && File.Exists(path) ? path : null;

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="description">The file that says what the network is.</param>
    /// <exception cref="UsageException">There is no such dialect, or it needs a description.</exception>
    public static WeightDialect Find(string name, string? description) => name.ToLowerInvariant() switch
    {
        Diffusers => WeightDialect.Of(DiffusersUNet.Parse(Text(name, description)).Keys),
        OpenAI => OfOpenAI(OpenAIUNet.Parse(Text(name, description))),
        var other when KeyMap.Names.Contains(other) => WeightDialect.Of(KeyMap.Find(other)),
        _ => throw new UsageException($"--dialect must be one of {string.Join(", ", Names)}; it is '{name}'."),
    };

    private static WeightDialect OfOpenAI(OpenAIUNet network) => new(tensors => network.ToOurs(tensors), tensors => network.ToTheirs(tensors));

    private static string Text(string name, string? description) => description is null
        ? throw new UsageException($"--dialect {name} needs --network FILE: the names depend on what the network is, and there is no {DescriptionFile} beside the weights.")
        : File.ReadAllText(description);
}
