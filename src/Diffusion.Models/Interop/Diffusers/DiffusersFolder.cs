using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The configuration files of an unconditional pipeline of the diffusers library: model_index.json, scheduler/scheduler_config.json and unet/config.json.
/// They are kept as the texts they are, so that what is written has every value that was read, known here or not.
/// </summary>
/// <remarks>huggingface/diffusers, src/diffusers/pipelines/pipeline_utils.py: the layout of the folder.</remarks>
public sealed class DiffusersFolder
{
    private const string IndexFile = WeightFolder.PipelineIndex;
    private const string Scheduler = "scheduler";

    private const string SchedulerName = "scheduler_config.json";
    private const string NetworkName = "config.json";

    private static readonly string s_schedulerFile = Path.Combine(Scheduler, SchedulerName);
    private static readonly string s_networkFile = Path.Combine(WeightFolder.Network, NetworkName);

    // What PyTorch's readers ask for.
    private static readonly Dictionary<string, string> s_metadata = new() { ["format"] = "pt" };

    // These pipelines make a scheduler of their own class, whichever the folder has.
    private static readonly Dictionary<string, string> s_ownSchedulers = new(StringComparer.Ordinal) { ["DDIMPipeline"] = "DDIMScheduler", ["PNDMPipeline"] = "PNDMScheduler" };

    private readonly ModelIndex _index;
    private readonly string _schedulerFile;

    /// <summary>Makes a folder's content of the texts of its files.</summary>
    /// <param name="modelIndex">Of model_index.json: a JSON object with <c>_class_name</c>, <c>scheduler</c> and <c>unet</c>, and no other component.</param>
    /// <param name="schedulerConfig">Of scheduler/scheduler_config.json: what <see cref="DiffusersScheduler.Parse(string, IReadOnlyCollection{string})"/> reads; its class may be missing, since model_index.json has it.</param>
    /// <param name="networkConfig">Of unet/config.json: a JSON object with <c>_class_name</c>.</param>
    /// <exception cref="InvalidDataException">A text is not that; the message names the file and the reason.</exception>
    public DiffusersFolder(string modelIndex, string schedulerConfig, string networkConfig)
        : this(modelIndex, (s_schedulerFile, schedulerConfig), (s_networkFile, networkConfig), weightsFolder: "")
    {
    }

    private DiffusersFolder(string modelIndex, (string File, string Text) scheduler, (string File, string Text) network, string weightsFolder)
    {
        var (schedulerConfig, networkConfig) = (scheduler.Text, network.Text);
        ArgumentNullException.ThrowIfNull(modelIndex);
        ArgumentNullException.ThrowIfNull(schedulerConfig);
        ArgumentNullException.ThrowIfNull(networkConfig);
        (ModelIndex, SchedulerConfig, NetworkConfig, _schedulerFile, WeightsFolder) = (modelIndex, schedulerConfig, networkConfig, scheduler.File, weightsFolder);
        _index = In(IndexFile, () => Models.ModelIndex.Parse(modelIndex));
        if (_index.Components.Keys.Where(name => name is not (Scheduler or WeightFolder.Network)).ToList() is { Count: > 0 } others)
        {
            throw new InvalidDataException(
                $"{IndexFile}: a {_index.ClassName} also needs {string.Join(", ", others)}; this library reads pipelines of {WeightFolder.Network} and {Scheduler} alone.");
        }

        var schedulerClass = In(IndexFile, () => _index.ClassOf(Scheduler));
        SchedulerClass = s_ownSchedulers.GetValueOrDefault(_index.ClassName, schedulerClass);
        NetworkClass = In(IndexFile, () => _index.ClassOf(WeightFolder.Network));
        In(scheduler.File, () => Models.ModelIndex.OptionalClassNameOf(schedulerConfig));
        In(network.File, () => Models.ModelIndex.ClassNameOf(networkConfig));
    }

    /// <summary>The text of model_index.json.</summary>
    public string ModelIndex { get; }

    /// <summary>The text of scheduler/scheduler_config.json.</summary>
    public string SchedulerConfig { get; }

    /// <summary>The text of unet/config.json.</summary>
    public string NetworkConfig { get; }

    /// <summary>The class of the pipeline, for example <c>DDPMPipeline</c>.</summary>
    public string PipelineClass => _index.ClassName;

    /// <summary>The class of the scheduler by model_index.json, which is what counts; <c>DDIMScheduler</c> and <c>PNDMScheduler</c> for the pipelines of these names, which make one of it.</summary>
    public string SchedulerClass { get; }

    /// <summary>The class of the network, for example <c>UNet2DModel</c>.</summary>
    public string NetworkClass { get; }

    /// <summary>The names of the classes, by their labels, where <see cref="DiffusersPipeline.Save"/> has written some; <see langword="null"/> where not.</summary>
    public IReadOnlyList<string>? ClassNames => Notes.ClassNames;

    /// <summary>p where the network is one on patches of p×p pixels, its channels (<see cref="UNetDialect.PatchSize"/>), as <see cref="DiffusersPipeline.Save"/> notes it; 1 where there is no such note.</summary>
    public int PatchSize => Notes.PatchSize;

    /// <summary>What this library has noted in model_index.json.</summary>
    internal PipelineNotes Notes => _index.Notes;

    /// <summary>The folder of the network's weights, where it was read from files.</summary>
    internal string WeightsFolder { get; }

    /// <summary>
    /// Reads the configuration files of a folder. <see cref="WeightFiles"/> reads its weights. A component without a folder of its own is in the folder itself, each component for itself, as
    /// in the first repositories of the Hub.
    /// </summary>
    /// <remarks>huggingface/diffusers, src/diffusers/pipelines/pipeline_loading_utils.py, load_sub_model.</remarks>
    /// <param name="path">The folder.</param>
    /// <exception cref="FileNotFoundException">One of the files is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">One of them is not what it should be; the message names it and the reason.</exception>
    public static DiffusersFolder Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var index = File.Exists(Path.Combine(path, IndexFile)) ? PlainFile.ReadText(Path.Combine(path, IndexFile)) : throw NoPipeline(path);
            return new DiffusersFolder(index, Text(path, Scheduler, SchedulerName), Text(path, WeightFolder.Network, NetworkName), Place(path, WeightFolder.Network));
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"'{path}' cannot be read as a pipeline of diffusers: {error.Message}", error);
        }
    }

    /// <summary>The scheduler that the folder describes.</summary>
    /// <param name="ignoredKeys">Keys of scheduler_config.json that are taken as if it did not have them; <see langword="null"/> (default) for none.</param>
    /// <exception cref="InvalidDataException">Its class, a key or a value is not known; the message names the file and the value.</exception>
    public DiffusersScheduler CreateScheduler(IReadOnlyCollection<string>? ignoredKeys = null) => In(_schedulerFile, () => DiffusersScheduler.Parse(SchedulerConfig, SchedulerClass, ignoredKeys, noiseAtEnd: Notes.Schedule is null));

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

    /// <summary>A network that unet/config.json describes, on the patches that model_index.json notes.</summary>
    /// <exception cref="InvalidDataException">model_index.json notes patches that it cannot have; the message names it.</exception>
    internal DiffusersUNet InPatches(DiffusersUNet network) => In(IndexFile, () => network.InPatches(Notes));

    /// <exception cref="InvalidDataException">model_index.json notes another shape of images; the message names it.</exception>
    internal void ThrowUnlessNoted(ImageShape image) => In(IndexFile, () =>
    {
        Notes.ThrowUnlessOf(image);
        return image;
    });

    private static FileNotFoundException NoPipeline(string path)
    {
        var has = File.Exists(Path.Combine(path, NetworkName)) ? $" It has a {NetworkName}, as the folder of a network alone has, which {nameof(DiffusersUNet)}.{nameof(DiffusersUNet.Load)} reads."
            : File.Exists(Path.Combine(path, SchedulerName)) ? $" It has a {SchedulerName}, as the folder of a scheduler alone has, whose text {nameof(DiffusersScheduler)}.{nameof(DiffusersScheduler.Parse)} reads."
            : string.Empty;
        return new FileNotFoundException($"'{path}' is no pipeline of diffusers: it has no {IndexFile}.{has}", Path.Combine(path, IndexFile));
    }

    /// <summary>The folder of a component, or where there is none, the folder of the pipeline.</summary>
    private static string Place(string folder, string component) => Path.Combine(folder, component) is var own && Directory.Exists(own) ? own : folder;

    private static (string File, string Text) Text(string folder, string component, string name)
    {
        var path = Path.Combine(Place(folder, component), name);
        return File.Exists(path)
            ? (Path.GetRelativePath(folder, path), PlainFile.ReadText(path))
            : throw new FileNotFoundException($"'{folder}' is no whole pipeline of diffusers: it has no {Path.Combine(component, name)}{(Directory.Exists(Path.Combine(folder, component)) ? "" : $", nor {name} itself")}.", path);
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
}
