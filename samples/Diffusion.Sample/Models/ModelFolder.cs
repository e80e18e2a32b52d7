using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>A model to pass on: the weights, their configuration and a card, as <see cref="RunConfiguration.SaveModel"/> writes them. The configuration beside the weights counts, so that it can be edited.</summary>
internal static class ModelFolder
{
    private const string PipelineIndex = "model_index.json";
    private const string WeightsOfDiffusers = "diffusion_pytorch_model*";

    // In the header of weights that were made to be passed on, and not of those that a run writes.
    private const string Format = "format";

    /// <summary>Files of runs, of checkpoints and of the best weights.</summary>
    private static readonly string[] s_ofRuns = [Path.GetFileName(new RunFolder("").Losses), "manifest.json", "best.json"];

    /// <summary>What the weights were trained for, and do not work without.</summary>
    private static readonly (string Name, Func<RunOptions, RunOptions> Of)[] s_sections =
    [
        ("data.size or data.channels", options => new() { Data = new() { Size = options.Data.Size, Channels = options.Data.Channels } }),
        ("model", options => new() { Model = options.Model }),
        ("diffusion", options => new() { Diffusion = options.Diffusion }),
        ("objective", options => new() { Objective = options.Objective }),
    ];

    /// <summary>The weights in a folder.</summary>
    public static string Weights(string folder) => Path.Combine(folder, Checkpoint.ModelFile);

    /// <summary>Whether a folder has weights that say which run they are of, and none of diffusers.</summary>
    /// <exception cref="UsageException">It is the folder of a run, a checkpoint or the best weights, without the averaged ones: the others would draw worse.</exception>
    public static bool Is(string folder)
    {
        if (!File.Exists(Weights(folder)) || File.Exists(Path.Combine(folder, PipelineIndex)) || Directory.EnumerateFiles(folder, WeightsOfDiffusers).Any())
        {
            return false;
        }

        try
        {
            if (!TrainedWeights.HasRun(Weights(folder)))
            {
                return false;
            }
        }
        catch (InvalidDataException)
        {
            return false; // whoever reads the folder says what is wrong with the file
        }

        if (Array.Exists(s_ofRuns, name => File.Exists(Path.Combine(folder, name))) && !Safetensors.ReadMetadata(Weights(folder)).ContainsKey(Format))
        {
            throw new UsageException(
                $"'{folder}' is the folder of a run, or of one of its checkpoints, without its averaged weights, {Checkpoint.EmaFile}; {Checkpoint.ModelFile} there has those that are not averaged. To take them, give that file itself.");
        }

        return true;
    }

    /// <summary>The configuration of the weights in a folder: the one beside them, or where there is none that of their header.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="header">What the header of the weights says.</param>
    /// <exception cref="InvalidDataException">The one beside them is of another network or another diffusion; the message names the file and the section.</exception>
    public static RunOptions Configuration(string folder, RunOptions header)
    {
        var file = new RunFolder(folder).Config;
        if (!File.Exists(file))
        {
            return header;
        }

        var options = ConfigurationFile.Load(file);
        foreach (var (section, of) in s_sections)
        {
            if (RunConfiguration.ToJson(of(options)) != RunConfiguration.ToJson(of(header)))
            {
                throw new InvalidDataException($"'{file}' has another {section} than the header of '{Weights(folder)}' says, with which the network was trained. Write it as it was; what else is in the file can be changed.");
            }
        }

        return options;
    }
}
