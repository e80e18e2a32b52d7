using System.Text.Json;

namespace Diffusion.Models;

/// <summary>What a model_index.json says: the class of the pipeline and those of its components.</summary>
internal sealed class ModelIndex
{
    private ModelIndex(string className, IReadOnlyDictionary<string, string> components) => (ClassName, Components) = (className, components);

    /// <summary>The class of the pipeline, for example <c>DDPMPipeline</c>.</summary>
    public string ClassName { get; }

    /// <summary>The class of each component that there is, by its folder: the second of the pair that the file has. A component that is left out, [null, null], is not here.</summary>
    public IReadOnlyDictionary<string, string> Components { get; }

    /// <exception cref="InvalidDataException">The message is the reason, without the file's name.</exception>
    public static ModelIndex Parse(string json)
    {
        try
        {
            using var document = PythonJson.Parse(json);
            var root = document.RootElement;
            return new ModelIndex(ClassNameOf(root), root.EnumerateObject()
                .Where(entry => entry.Value.ValueKind == JsonValueKind.Array && entry.Value.GetArrayLength() == 2 && entry.Value[1].ValueKind == JsonValueKind.String)
                .ToDictionary(entry => entry.Name, entry => entry.Value[1].GetString()!, StringComparer.Ordinal));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw NotJson(error);
        }
    }

    /// <summary>The text of <c>_class_name</c> of any configuration of diffusers.</summary>
    /// <exception cref="InvalidDataException">It is no JSON object with one; the message is the reason, without the file's name.</exception>
    public static string ClassNameOf(string json)
    {
        try
        {
            using var document = PythonJson.Parse(json);
            return ClassNameOf(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw NotJson(error);
        }
    }

    private static string ClassNameOf(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("_class_name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()!
            : throw new InvalidDataException("it is no JSON object with the text \"_class_name\"");

    // InvalidOperationException: an escaped half of a surrogate pair.
    private static InvalidDataException NotJson(Exception error) => new($"it is not valid JSON: {error.Message.TrimEnd('.')}", error);
}
