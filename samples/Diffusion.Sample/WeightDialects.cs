using Diffusion.Configuration;
using Diffusion.Models;
using Microsoft.Extensions.Options;
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
    public static IReadOnlyDictionary<string, string> WithNetwork(IReadOnlyDictionary<string, string> metadata, string? dialect, bool reverse, WeightFiles weights, string? given) =>
        reverse || !IsDiffusers(dialect) || Described(weights, given) is not { } described ? metadata : new Dictionary<string, string>(metadata) { [NetworkKey] = described.Network.ToJson() };

    /// <summary>What says what a network of diffusers is: the file that is given, what convert has stored with the weights, or the config.json beside them.</summary>
    /// <returns>The network and where it is described; <see langword="null"/> where nothing says it.</returns>
    /// <exception cref="InvalidDataException">It is no such description; the message names the file.</exception>
    public static (DiffusersUNet Network, string Source)? Described(WeightFiles weights, string? given)
    {
        if (given is null && weights.Metadata.TryGetValue(NetworkKey, out var stored))
        {
            return (DiffusersUNet.Parse(stored), "its header");
        }

        var file = given ?? Beside(weights.Path);
        return file is null ? null
            : File.Exists(file) ? (DiffusersUNet.Read(file), $"'{file}'")
            : throw new UsageException($"There is no file '{file}'.");
    }

    /// <summary>Why nothing beside the weights says what their network is.</summary>
    public static string NoneBeside(string weights) => InFolder(weights) is { } file
        ? $"'{file}' beside it is the configuration of a run, which convert --config stores with weights that fit it"
        : $"there is no {DescriptionFile} of diffusers beside it";

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="given">The file that says what the network is, if one is given.</param>
    /// <exception cref="UsageException">There is no such dialect, or it needs a description.</exception>
    public static WeightDialect Find(string name, WeightFiles weights, string? given) => name.ToLowerInvariant() switch
    {
        Diffusers => WeightDialect.Of((Described(weights, given) ?? throw Needed(name, weights)).Network.Keys),
        OpenAI => OfOpenAI(OpenAIUNet.Read(given ?? Beside(weights.Path) ?? throw Needed(name, weights))),
        var other when KeyMap.Names.Contains(other) => WeightDialect.Of(KeyMap.Find(other)),
        _ => throw new UsageException($"--dialect must be one of {string.Join(", ", Names)}; it is '{name}'."),
    };

    private static WeightDialect OfOpenAI(OpenAIUNet network) => new(tensors => network.ToOurs(tensors), tensors => network.ToTheirs(tensors));

    private static UsageException Needed(string name, WeightFiles weights) =>
        new($"--dialect {name} needs --network FILE: the names depend on what the network of '{weights.Path}' is, and {NoneBeside(weights.Path)}.");

    /// <summary>The config.json in the folder of the weights, if there is one that is no run's.</summary>
    private static string? Beside(string weights) => InFolder(weights) is { } file && !IsOfARun(file) ? file : null;

    private static string? InFolder(string weights) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, DescriptionFile) is var path && File.Exists(path) ? path : null;

    private static bool IsOfARun(string file)
    {
        try
        {
            RunConfiguration.Load(file);
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or OptionsValidationException)
        {
            return false;
        }
    }
}
