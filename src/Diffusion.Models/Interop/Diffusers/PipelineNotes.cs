using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>
/// What this library notes in model_index.json, under a key that begins with an underscore: diffusers passes over those. What a network's images are, and how exact the noise schedule was.
/// </summary>
/// <remarks>huggingface/diffusers, src/diffusers/configuration_utils.py, extract_init_dict: private keys are removed without a warning.</remarks>
internal sealed record PipelineNotes
{
    public const string Key = "_diffusion";

    private const string Images = "images";
    private const string ClassNamesKey = "class_names";
    private const string NullLabelKey = "null_label";
    private const string RangeKey = "value_range";
    private const string ScheduleKey = "schedule";
    private const string PatchKey = "patch_size";

    private static readonly string[] s_sizes = ["channels", "height", "width"];

    /// <summary>The sizes of an image that the note has, by their names.</summary>
    public IReadOnlyList<(string Name, int Size)> Sizes { get; init; } = [];

    /// <summary>The classes by their labels; <see langword="null"/> where they have no names.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>The label that stands for none; <see langword="null"/> where there is no such label.</summary>
    public long? NullLabel { get; init; }

    /// <summary>p of patches of p×p pixels, which are the channels of the network; 1 for none.</summary>
    public int PatchSize { get; init; } = 1;

    /// <summary>The noise schedule in Float64; <see langword="null"/> for that of scheduler_config.json as diffusers rounds it.</summary>
    public ExactTable? Schedule { get; init; }

    /// <exception cref="InvalidDataException">The note is not one of this library; the message is the reason, without the file's name.</exception>
    public static PipelineNotes Read(JsonElement index)
    {
        if (!index.TryGetProperty(Key, out var note))
        {
            return new PipelineNotes();
        }

        var images = Part(note, Images);
        if (images is { } given && given.TryGetProperty(RangeKey, out var range) && !IsRange(range))
        {
            throw Wrong(RangeKey, "[-1, 1], which the images of this library have", range);
        }

        return new PipelineNotes
        {
            Sizes = [.. images is { } all ? s_sizes.Where(name => all.TryGetProperty(name, out _)).Select(name => (name, Size(name, all.GetProperty(name)))) : []],
            ClassNames = images is { } some && some.TryGetProperty(ClassNamesKey, out var names) ? Names(names) : null,
            NullLabel = images is { } those && those.TryGetProperty(NullLabelKey, out var label)
                ? label.ValueKind == JsonValueKind.Number && label.TryGetInt64(out var number) && number >= 0 ? number : throw Wrong(NullLabelKey, "a label", label)
                : null,
            PatchSize = note.TryGetProperty(PatchKey, out var patch) ? Size(PatchKey, patch) : 1,
            Schedule = Part(note, ScheduleKey) is { } schedule ? ExactTable.Read(schedule) : null,
        };
    }

    /// <param name="shape">That of an image.</param>
    public JsonObject ToJson(ImageShape shape)
    {
        var images = new JsonObject { [RangeKey] = new JsonArray(-1, 1), ["channels"] = shape.Channels, ["height"] = shape.Height, ["width"] = shape.Width };
        if (ClassNames is not null)
        {
            images[ClassNamesKey] = new JsonArray([.. ClassNames.Select(name => (JsonNode)name)]);
        }

        if (NullLabel is not null)
        {
            images[NullLabelKey] = NullLabel;
        }

        var note = new JsonObject { [Images] = images };
        if (PatchSize != 1)
        {
            note[PatchKey] = PatchSize;
        }

        if (Schedule is not null)
        {
            note[ScheduleKey] = Schedule.ToJson();
        }

        return note;
    }

    public static InvalidDataException Wrong(string name, string needed, JsonElement value) => new($"\"{name}\" in its \"{Key}\" must be {needed}; it is {value.GetRawText()}");

    /// <summary>What is wrong with a patch size that a network does not have.</summary>
    public InvalidDataException WrongPatches(UNetOptions network) => new(
        $"\"{PatchKey}\" in its \"{Key}\" must be a size whose square divides the channels of the network, {network.Image.Channels + network.Dialect.ExtraChannels} in and {network.Dialect.OutChannels ?? network.Image.Channels} out, and with which no side of an image has more than {int.MaxValue} pixels; it is {PatchSize}");

    /// <exception cref="InvalidDataException">The images of the network have another shape; the message is the reason, without the file's name.</exception>
    public void ThrowUnlessOf(ImageShape image)
    {
        foreach (var ((name, noted), size) in Sizes.Select(noted => (noted, noted.Name == s_sizes[0] ? image.Channels : noted.Name == s_sizes[1] ? image.Height : image.Width)))
        {
            if (noted != size)
            {
                throw new InvalidDataException($"\"{name}\" in its \"{Key}\" is {noted}, and the images of the network are {image} (channels×height×width)");
            }
        }
    }

    private static bool IsRange(JsonElement range) => range.ValueKind == JsonValueKind.Array && range.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number)
        && range.EnumerateArray().Select(item => item.GetDouble()).SequenceEqual([-1, 1]);

    private static int Size(string name, JsonElement size) =>
        size.ValueKind == JsonValueKind.Number && size.TryGetInt32(out var whole) && whole > 0 ? whole : throw Wrong(name, "a whole number above 0", size);

    private static JsonElement? Part(JsonElement note, string name)
    {
        if (note.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"its \"{Key}\" must be an object; it is {note.GetRawText()}");
        }

        return !note.TryGetProperty(name, out var part) ? null : part.ValueKind == JsonValueKind.Object ? part : throw Wrong(name, "an object", part);
    }

    private static string[] Names(JsonElement names) => names.ValueKind == JsonValueKind.Array && names.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
        ? [.. names.EnumerateArray().Select(name => name.GetString()!)]
        : throw Wrong(ClassNamesKey, "a list of texts", names);
}
