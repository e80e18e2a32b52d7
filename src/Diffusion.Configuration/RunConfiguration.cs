using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using static TorchSharp.torch;

namespace Diffusion.Configuration;

/// <summary>Reads and writes <see cref="RunOptions"/> as JSON.</summary>
public static class RunConfiguration
{
    /// <summary>The key under which a run's configuration is stored in the header of its safetensors files.</summary>
    public const string MetadataKey = "diffusion.config";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Reads a configuration file and checks it as a whole. Relative paths of data are taken from the file's folder.</summary>
    /// <param name="path">A JSON file; comments and trailing commas are allowed.</param>
    /// <returns>Options without mistakes.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not JSON, and the message says where; or it is no plain file: a named pipe, a socket, a device.</exception>
    /// <exception cref="OptionsValidationException">The configuration has mistakes: unknown keys, values of the wrong kind, values that do not fit. The message lists all, each with its path.</exception>
    public static RunOptions Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = Path.GetFullPath(path);
        if (!File.Exists(full))
        {
            throw new FileNotFoundException(Directory.Exists(full) ? $"'{full}' is a folder; a configuration file is needed." : $"There is no configuration file '{full}'.", full);
        }

        var options = Parse(PlainFile.ReadText(full), full);
        var data = options.Data;
        return options with { Data = data with { Path = Absolute(data.Path), Folder = data.Folder with { ValidationPath = data.Folder.ValidationPath is { } kept ? Absolute(kept) : null } } };

        string Absolute(string relative) => Path.GetFullPath(relative, Path.GetDirectoryName(full)!);
    }

    /// <summary>Reads a configuration from its text and checks it as a whole.</summary>
    /// <param name="json">The JSON text.</param>
    /// <param name="source">Where the text comes from, for messages.</param>
    /// <returns>Options without mistakes.</returns>
    /// <exception cref="InvalidDataException">The text is not JSON; the message says where.</exception>
    /// <exception cref="OptionsValidationException">The configuration has mistakes; the message lists all, each with its path.</exception>
    public static RunOptions Parse(string json, string source = "configuration")
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
            return Bind(Build(stream), source);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw new InvalidDataException($"'{source}' is not a JSON configuration{Place(e as JsonException ?? e.InnerException as JsonException)}: {Reason(e.InnerException?.Message ?? e.Message)}", e);
        }
    }

    /// <summary>Binds a configuration, from whatever provider, and checks it as a whole.</summary>
    /// <param name="configuration">The configuration, or the section of it that holds the run.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <returns>Options without mistakes.</returns>
    /// <exception cref="OptionsValidationException">The configuration has mistakes; the message lists all, each with its path.</exception>
    public static RunOptions Bind(IConfiguration configuration, string source = "configuration")
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var errors = ConfigurationShape.Errors(configuration, typeof(RunOptions)).ToList();
        var options = new RunOptions();
        if (errors.Count == 0)
        {
            options = configuration.Get<RunOptions>() ?? options;
            errors = [.. options.Validate()];
        }

        return errors.Count == 0
            ? options
            : throw new OptionsValidationException(
                source, typeof(RunOptions), errors.Select(InFile).Select(error => $"{error.Path} {error.Message}"));
    }

    /// <summary>A mistake in the names that a configuration file writes: <c>model.stemChannels</c> <c>must be a multiple of normGroups</c> for <c>Model.StemChannels</c> and <c>NormGroups</c>.</summary>
    /// <param name="error">A mistake of <see cref="RunOptions.Validate"/>.</param>
    /// <returns>The same with other names.</returns>
    public static OptionsError InFile(OptionsError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new(ConfigurationShape.FilePath(error.Path), ConfigurationShape.FileText(error.Message));
    }

    /// <summary>The options as a configuration file.</summary>
    /// <param name="options">The options.</param>
    /// <returns>Indented JSON that <see cref="Parse"/> reads back to options with the same values.</returns>
    public static string ToJson(RunOptions options) => JsonSerializer.Serialize(options, s_json);

    /// <summary>Writes a configuration file, whole or not at all.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="IOException">The file cannot be written; what was there before is unchanged.</exception>
    public static void Save(string path, RunOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        AtomicFile.WriteText(path, ToJson(options));
    }

    /// <summary>Writes a model to pass on, whole or not at all: <c>model.safetensors</c> with the configuration in its header, <c>config.json</c>, and <c>README.md</c>.</summary>
    /// <param name="folder">The folder to make, which must not exist or be empty.</param>
    /// <param name="options">The configuration. Its paths are written as they are; relative ones are read from <paramref name="folder"/>.</param>
    /// <param name="weights">The weights by name, such as those of <see cref="Checkpoint.EmaFile"/>; other floating-point types take less room. They are not disposed.</param>
    /// <param name="card">The text of <c>README.md</c>: what the model is, and how good.</param>
    /// <exception cref="ArgumentException">The weights cannot be written; see <see cref="Safetensors.Save"/>.</exception>
    /// <exception cref="IOException">There is something at <paramref name="folder"/> already, or it cannot be written.</exception>
    public static void SaveModel(string folder, RunOptions options, IEnumerable<KeyValuePair<string, Tensor>> weights, string card)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(card);
        var target = PathNames.Whole(folder);
        IsFree();
        AtomicFolder.Write(target, temporary =>
        {
            Safetensors.Save(Path.Combine(temporary, Checkpoint.ModelFile), weights, new Dictionary<string, string> { ["format"] = "pt", [MetadataKey] = ToJson(options) });
            Save(Path.Combine(temporary, "config.json"), options);
            AtomicFile.WriteText(Path.Combine(temporary, "README.md"), card);
        }, replaces: IsFree);

        bool IsFree() => File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
            ? throw new IOException($"'{folder}' exists and is not empty; a model is written to a folder of its own.")
            : true;
    }

    /// <summary>Where an error is, counted from 1 as editors do.</summary>
    private static string Place(JsonException? error) => error?.LineNumber is { } line ? $" (line {line + 1}, byte {error.BytePositionInLine + 1})" : "";

    /// <summary>What an error says, without its own place, which is counted from 0.</summary>
    private static string Reason(string message) => message.Split(" Path: ")[0].Split(" LineNumber: ")[0];

    private static IConfigurationRoot Build(Stream json)
    {
        try
        {
            return new ConfigurationBuilder().AddJsonStream(json).Build();
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException(e.Message, e); // an escaped half of a surrogate pair
        }
    }
}
