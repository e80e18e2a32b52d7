using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The configuration files of an unconditional pipeline of the diffusers library: model_index.json, scheduler/scheduler_config.json and unet/config.json.
/// They are kept as the texts they are, so that what is written has every value that was read, known here or not.
/// </summary>
/// <remarks>huggingface/diffusers, src/diffusers/pipelines/pipeline_utils.py: the layout of the folder.</remarks>
public sealed class DiffusersFolder
{
    private const string IndexFile = "model_index.json";
    private const string Scheduler = "scheduler";

    private static readonly string s_schedulerFile = Path.Combine(Scheduler, "scheduler_config.json");
    private static readonly string s_networkFile = Path.Combine(WeightFolder.Network, "config.json");

    // What PyTorch's readers ask for.
    private static readonly Dictionary<string, string> s_metadata = new() { ["format"] = "pt" };

    private readonly ModelIndex _index;

    /// <summary>Makes a folder's content of the texts of its files.</summary>
    /// <param name="modelIndex">Of model_index.json: a JSON object with <c>_class_name</c>, <c>scheduler</c> and <c>unet</c>, and no other component.</param>
    /// <param name="schedulerConfig">Of scheduler/scheduler_config.json: what <see cref="DiffusersScheduler.Parse(string)"/> reads.</param>
    /// <param name="networkConfig">Of unet/config.json: a JSON object with <c>_class_name</c>.</param>
    /// <exception cref="InvalidDataException">A text is not that; the message names the file and the reason.</exception>
    public DiffusersFolder(string modelIndex, string schedulerConfig, string networkConfig)
    {
        ArgumentNullException.ThrowIfNull(modelIndex);
        ArgumentNullException.ThrowIfNull(schedulerConfig);
        ArgumentNullException.ThrowIfNull(networkConfig);
        (ModelIndex, SchedulerConfig, NetworkConfig) = (modelIndex, schedulerConfig, networkConfig);
        _index = In(IndexFile, () => Models.ModelIndex.Parse(modelIndex));
        if (_index.Components.Keys.Where(name => name is not (Scheduler or WeightFolder.Network)).ToList() is { Count: > 0 } others)
        {
            throw new InvalidDataException(
                $"{IndexFile}: a {_index.ClassName} also needs {string.Join(", ", others)}; this library reads pipelines of {WeightFolder.Network} and {Scheduler} alone.");
        }

        SchedulerClass = Component(Scheduler);
        NetworkClass = Component(WeightFolder.Network);
        In(s_schedulerFile, () => Models.ModelIndex.ClassNameOf(schedulerConfig));
        In(s_networkFile, () => Models.ModelIndex.ClassNameOf(networkConfig));
    }

    /// <summary>The text of model_index.json.</summary>
    public string ModelIndex { get; }

    /// <summary>The text of scheduler/scheduler_config.json.</summary>
    public string SchedulerConfig { get; }

    /// <summary>The text of unet/config.json.</summary>
    public string NetworkConfig { get; }

    /// <summary>The class of the pipeline, for example <c>DDPMPipeline</c>.</summary>
    public string PipelineClass => _index.ClassName;

    /// <summary>The class of the scheduler by model_index.json, which is what counts.</summary>
    public string SchedulerClass { get; }

    /// <summary>The class of the network, for example <c>UNet2DModel</c>.</summary>
    public string NetworkClass { get; }

    /// <summary>Reads the configuration files of a folder. <see cref="WeightFiles"/> reads its weights.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="FileNotFoundException">One of the files is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">One of them is not what it should be; the message names it and the reason.</exception>
    public static DiffusersFolder Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return new DiffusersFolder(Text(path, IndexFile), Text(path, s_schedulerFile), Text(path, s_networkFile));
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"'{path}' cannot be read as a pipeline of diffusers: {error.Message}", error);
        }
    }

    /// <summary>The scheduler that the folder describes.</summary>
    /// <exception cref="InvalidDataException">Its class or a value is not known; the message names the file and the value.</exception>
    public DiffusersScheduler CreateScheduler() => In(s_schedulerFile, () => DiffusersScheduler.Parse(SchedulerConfig, SchedulerClass));

    /// <summary>Writes a folder: the texts as they are, and the weights to unet/diffusion_pytorch_model.safetensors. It appears whole or not at all.</summary>
    /// <param name="path">The folder to make, which must not exist or be empty.</param>
    /// <param name="weights">The weights under the names that diffusers gives them. They are not disposed.</param>
    /// <exception cref="ArgumentException">The weights cannot be written; see <see cref="Safetensors.Save"/>.</exception>
    /// <exception cref="IOException">There is something at <paramref name="path"/> already, or it cannot be written.</exception>
    public void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(weights);
        var target = PathNames.Whole(path);
        IsFree();
        AtomicFolder.Write(target, temporary =>
        {
            AtomicFile.WriteText(Path.Combine(temporary, IndexFile), ModelIndex);
            AtomicFile.WriteText(Path.Combine(temporary, s_schedulerFile), SchedulerConfig);
            AtomicFile.WriteText(Path.Combine(temporary, s_networkFile), NetworkConfig);
            Safetensors.Save(Path.Combine(temporary, WeightFolder.Network, WeightFolder.SafetensorsName), weights, s_metadata);
        }, replaces: IsFree);

        bool IsFree() => File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
            ? throw new IOException($"'{path}' exists and is not empty; a pipeline is written to a folder of its own.")
            : true;
    }

    private static string Text(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) ? PlainFile.ReadText(path) : throw new FileNotFoundException($"'{folder}' is no pipeline of diffusers: it has no {file}.", path);
    }

    private static T In<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{file}: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private string Component(string name) => _index.Components.TryGetValue(name, out var type)
        ? type
        : throw new InvalidDataException($"{IndexFile}: it has no component \"{name}\" with a library and a class.");
}
