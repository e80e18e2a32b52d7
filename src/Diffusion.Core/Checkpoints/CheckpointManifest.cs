using System.Text.Json;
using System.Text.Json.Serialization;

namespace Diffusion;

/// <summary>What a checkpoint says of itself: the content of its <c>manifest.json</c>.</summary>
/// <param name="Schema">The number of the format, from 1 to <see cref="CurrentSchema"/>.</param>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Seed">The seed of the run.</param>
/// <param name="BatchSize">Images a step.</param>
/// <param name="ImageCount">The number of images in the source that was trained on; the order of the images depends on it.</param>
/// <param name="Library">The version of this library.</param>
/// <param name="Files">The files beside the manifest, with their sizes and hashes.</param>
internal sealed record CheckpointManifest(
    int Schema, int Step, long Seed, int BatchSize, int ImageCount, string Library, IReadOnlyDictionary<string, CheckpointFile> Files)
{
    /// <summary>The format that this version writes. It reads this one and those before.</summary>
    public const int CurrentSchema = 2;

    /// <summary>How many of the last steps in a row were skipped (<see cref="OptimizerOptions.SkipNotFinite"/>).</summary>
    public int SkippedInARow { get; init; }

    /// <summary>Which images are trained on; <see langword="null"/> where an older version wrote the checkpoint, or no step was done.</summary>
    public ImageIdentity? Images { get; init; }

    /// <summary>The noise schedule; <see langword="null"/> in format 1.</summary>
    public CheckpointSchedule? Schedule { get; init; }

    /// <summary>What the network predicts; <see langword="null"/> in format 1.</summary>
    public string? Prediction { get; init; }

    /// <summary>What tells predictions of one name apart, <see cref="CheckpointSchedule.Coefficients"/>; <see langword="null"/> where an older version wrote the checkpoint.</summary>
    public IReadOnlyList<double>? PredictionCoefficients { get; init; }

    /// <summary>How many steps changed the weights; <see langword="null"/> where an older version wrote the checkpoint, and all did as far as is known.</summary>
    public int? Updates { get; init; }

    /// <summary>The options of the run, for comparison when it is resumed; <see langword="null"/> in format 1.</summary>
    public JsonElement? Options { get; init; }

    /// <summary>What the network is trained for, likewise; <see langword="null"/> in format 1.</summary>
    public JsonElement? Objective { get; init; }

    /// <summary>The versions of what computed the run, by name; <see langword="null"/> in format 1.</summary>
    public IReadOnlyDictionary<string, string>? Versions { get; init; }

    internal const string FileName = "manifest.json";

    private static readonly string[] s_always = [Checkpoint.ModelFile, Checkpoint.EmaFile, Checkpoint.OptimizerFile]; // of every format

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>What no run can have written.</summary>
    /// <param name="named">The step that the checkpoint's folder is named after; <see langword="null"/> for a folder of another name.</param>
    /// <returns>The end of a sentence that begins with the file; <see langword="null"/> where all is well.</returns>
    internal string? Fault(long? named) =>
        Schema is < 1 or > CurrentSchema ? $"has format {Schema}; this version reads formats 1 to {CurrentSchema}."
        : Step < 0 ? $"has step {Step}; a run's steps begin at 0."
        : named is { } step && step != Step ? $"has step {Step}; its folder is named after step {step}."
        : BatchSize < 1 ? $"has a batch size of {BatchSize}; at least 1 is needed."
        : Updates < 0 || Updates > Step ? $"has {Updates} updates; there are from 0 to {Step}, the steps."
        : ImageCount < 0 || SkippedInARow < 0 ? $"has {(ImageCount < 0 ? $"{ImageCount} images" : $"{SkippedInARow} skipped steps")}; no number can be negative."
        : Array.Find(s_always, file => !Files.ContainsKey(file)) is { } lacking ? $"names {(Files.Count == 0 ? "no files" : $"no {lacking}")}: a checkpoint has the weights, their averages and the optimizer's state, {string.Join(", ", s_always)}."
        : Files.Keys.FirstOrDefault(name => PortableName.Fault(name) is not null) is { } name ? $"has the file '{name}', which {PortableName.Fault(name)}; a checkpoint's files lie beside its manifest."
        : null;

    internal static JsonElement ToJson<T>(T value) => JsonSerializer.SerializeToElement(value, s_json);

    internal string ToJson() => JsonSerializer.Serialize(this, s_json);

    internal static CheckpointManifest Parse(string json) =>
        JsonSerializer.Deserialize<CheckpointManifest>(json, s_json) ?? throw new JsonException("the manifest is empty");
}
