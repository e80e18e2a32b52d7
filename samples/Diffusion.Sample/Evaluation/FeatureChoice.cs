using System.Text.Json;
using System.Text.Json.Serialization;
using Diffusion.Configuration;
using Diffusion.Evaluation;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>The network in whose features images are compared.</summary>
internal static class FeatureChoice
{
    private const string Digits = "digits";
    private const string Textures = "textures";
    private const string Nearest = "nearest"; // the figure that pixels are enough for

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) }, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true,
    };

    private static readonly ImageShape s_embedded = new(1, 28, 28);

    /// <summary>What the images must be for the features that are asked for; <see langword="null"/> where a network takes others, too.</summary>
    public static ImageShape? Shape(string? name) => name is Digits or Textures ? s_embedded : null;

    /// <summary>The features that the command line names, or those that go with a reference; <see langword="null"/> where none do and none are needed.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="kind">What the reference is.</param>
    /// <param name="shape">The shape of the images; <see langword="null"/> where it is not known yet.</param>
    /// <exception cref="UsageException">None do, and what is asked for needs some.</exception>
    public static string? For(EvaluateArguments arguments, DataKind? kind, ImageShape? shape)
    {
        var known = kind == DataKind.Mnist ? Digits : kind == DataKind.Textures ? Textures : null;
        if (arguments.Features is { } named)
        {
            return named;
        }

        if (known is not null && (shape is null || shape == s_embedded))
        {
            return known;
        }

        UsageException.IfUnused("it says what a network of a TorchScript file takes, and there is no --features.", ("--features-options", arguments.FeaturesOptions is not null));
        var needed = arguments.Figures is { } figures ? figures.Any(name => !name.Equals(Nearest, StringComparison.OrdinalIgnoreCase)) : arguments.Likelihood is null && arguments.Keep is null;
        return needed ? throw Missing() : null;
    }

    /// <summary>Says what features there can be.</summary>
    public static UsageException Missing() => new(
        $"Give the features that the images are compared in by --features: {Digits}, {Textures} (both for grey images of 28×28); a classifier of your own classes, which 'classifier --kind folder --data DIR --out FILE.safetensors' trains on a folder with a subfolder for each; or a TorchScript network. Without features there are the distances in pixels alone: --figures {Nearest}.");

    /// <summary>Opens them.</summary>
    /// <param name="name">A name, or a file.</param>
    /// <param name="options">A file that says what a TorchScript network takes; <see langword="null"/> for images as they are.</param>
    /// <param name="shape">The shape of the images.</param>
    /// <exception cref="UsageException">There is no such file, or the network takes other images.</exception>
    public static IFeatureExtractor Open(string name, string? options, ImageShape shape)
    {
        var script = Shape(name) is null && !IsClassifier(name);
        UsageException.IfUnused($"it says what a network of a TorchScript file takes, and --features is {name}.", ("--features-options", options is not null && !script));
        if (Shape(name) is null && !File.Exists(name))
        {
            throw new UsageException($"--features must be {Digits}, {Textures} or a file of a network; there is no file '{name}'.");
        }

        if (Shape(name) is not null && shape != s_embedded)
        {
            throw new UsageException($"--features {name} takes images of {s_embedded}, grey; these are {shape}. Give a network for them by --features FILE.");
        }

        return name == Digits ? ImageClassifier.Digits() : name == Textures ? ImageClassifier.Textures() : script ? OpenScript(name, options, shape) : OpenClassifier(name, shape);
    }

    private static bool IsClassifier(string name) => Path.GetExtension(name).Equals(".safetensors", StringComparison.OrdinalIgnoreCase);

    private static IImageClassifier OpenClassifier(string name, ImageShape shape)
    {
        var classifier = ImageClassifier.Load(name);
        try
        {
            return UsageException.Unless(() => classifier.ForImages(shape));
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    private static ScriptFeatures OpenScript(string name, string? options, ImageShape shape)
    {
        var network = UsageException.Unless(() => ScriptFeatures.Load(name, shape, options is null ? null : ReadOptions(options)));
        AnsiConsole.MarkupLineInterpolated($"Features of {name}: {network.Features}, computed in {network.Precision}{(network.Deviation is { } deviation ? FormattableString.Invariant($"; float32 differs from float64 by {deviation:G2} of the largest") : "; they could not be compared with float64, and libtorch computes some convolutions wrongly")}");
        return network;
    }

    private static ScriptFeaturesOptions ReadOptions(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<ScriptFeaturesOptions>(File.ReadAllText(file), s_json) ?? throw new JsonException("it holds null");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--features-options: '{file}' must be a JSON file with some of channels, size, resizing, scale, mean and standardDeviation: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
