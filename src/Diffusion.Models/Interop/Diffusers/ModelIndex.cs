using System.Text.Json;

namespace Diffusion.Models;

/// <summary>What a model_index.json says: the class of the pipeline and those of its components.</summary>
internal sealed class ModelIndex
{
    private const string Library = "diffusers";

    private ModelIndex(string className, IReadOnlyDictionary<string, (string Library, string ClassName)> components, PipelineNotes notes) =>
        (ClassName, Components, Notes) = (className, components, notes);

    /// <summary>The class of the pipeline, for example <c>DDPMPipeline</c>.</summary>
    public string ClassName { get; }

    /// <summary>The library and the class of each component that there is, by its folder: the pair that the file has. A component that is left out, [null, null], is not here.</summary>
    public IReadOnlyDictionary<string, (string Library, string ClassName)> Components { get; }

    /// <summary>What this library has noted in the file.</summary>
    public PipelineNotes Notes { get; }

    /// <exception cref="InvalidDataException">The message is the reason, without the file's name.</exception>
    public static ModelIndex Parse(string json) => Read(json, root => new ModelIndex(
        ClassNameOf(root),
        root.EnumerateObject().Where(entry => !entry.Name.StartsWith('_') && IsComponent(entry.Value)).ToDictionary(entry => entry.Name, entry => (entry.Value[0].GetString()!, entry.Value[1].GetString()!), StringComparer.Ordinal),
        PipelineNotes.Read(root)));

    /// <summary>The text of <c>_class_name</c> of any configuration of diffusers.</summary>
    /// <exception cref="InvalidDataException">It is no JSON object with one; the message is the reason, without the file's name.</exception>
    public static string ClassNameOf(string json) => Read(json, ClassNameOf);

    /// <summary>The class of a component.</summary>
    /// <exception cref="InvalidDataException">There is no such component, or its class is not one of diffusers; the message is the reason.</exception>
    public string ClassOf(string component)
    {
        if (!Components.TryGetValue(component, out var type))
        {
            throw new InvalidDataException($"it has no component \"{component}\" with a library and a class");
        }

        return type.Library == Library
            ? type.ClassName
            : throw new InvalidDataException($"its component \"{component}\" is a {type.ClassName} of \"{type.Library}\"; this library reads classes of {Library}, and runs no code of others");
    }

    private static T Read<T>(string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = PythonJson.Parse(json);
            return read(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair.
            throw new InvalidDataException($"it is not valid JSON: {error.Message.TrimEnd('.')}", error);
        }
    }

    private static bool IsComponent(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2 && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String);

    private static string ClassNameOf(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("_class_name", out var name))
        {
            throw new InvalidDataException("it is no JSON object with the text \"_class_name\"");
        }

        return name.ValueKind switch
        {
            JsonValueKind.String => name.GetString()!,
            JsonValueKind.Array => throw new InvalidDataException($"its \"_class_name\" is {name.GetRawText()}: a pipeline whose code comes with it, and no code is run here"),
            _ => throw new InvalidDataException($"its \"_class_name\" is {name.GetRawText()}, no text"),
        };
    }
}
