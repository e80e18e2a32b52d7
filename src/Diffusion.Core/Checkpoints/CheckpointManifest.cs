using System.Text.Json;

namespace Diffusion;

/// <summary>What a checkpoint says of itself: the content of its <c>manifest.json</c>.</summary>
/// <param name="Schema">The number of the format; <see cref="CurrentSchema"/> is the only one there is.</param>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Seed">The seed of the run.</param>
/// <param name="BatchSize">Images a step.</param>
/// <param name="ImageCount">The number of images in the source that was trained on; the order of the images depends on it.</param>
/// <param name="Library">The version of this library.</param>
/// <param name="Files">The files beside the manifest, with their sizes and hashes.</param>
public sealed record CheckpointManifest(
    int Schema, int Step, long Seed, int BatchSize, int ImageCount, string Library, IReadOnlyDictionary<string, CheckpointFile> Files)
{
    /// <summary>The format that this version writes and reads.</summary>
    public const int CurrentSchema = 1;

    internal const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    internal string ToJson() => JsonSerializer.Serialize(this, s_json);

    internal static CheckpointManifest Parse(string json) =>
        JsonSerializer.Deserialize<CheckpointManifest>(json, s_json) ?? throw new JsonException("the manifest is empty");
}
