using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>From a network that was trained here to the texts of a pipeline's folder.</summary>
internal static class FolderWriter
{
    public const string VersionKey = "_diffusers_version";

    /// <summary>The version of diffusers whose keys are written.</summary>
    public const string Version = "0.42.1";

    private const string Library = "diffusers";

    /// <exception cref="ArgumentException">diffusers cannot express something, or names and labels are not the network's; the message says what.</exception>
    public static DiffusersFolder Write(DiffusersUNet network, INoiseSchedule schedule, Parameterization parameterization, ImageLimit? limit, DdpmOptions? sampling, PipelineNotes notes)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var (image, dialect) = (network.Options.Image, network.Options.Dialect);
        if (dialect.ExtraChannels != 0)
        {
            throw new ArgumentException(
                $"diffusers cannot express {dialect.ExtraChannels} channels beside the {image.Channels} of the image, which self-conditioning or a condition in pixels needs: DDPMPipeline gives the network noise in all of them.", nameof(network));
        }

        CheckLabels(dialect.Labels, notes);
        var learns = dialect.OutChannels == 2 * image.Channels;
        if (!learns && dialect.OutChannels is { } channels && channels != image.Channels)
        {
            throw new ArgumentException($"diffusers cannot express a network of {channels} channels out for {image.Channels} in; it has as many, or twice as many with a learned variance.", nameof(network));
        }

        var (table, scheduler) = schedule is RectifiedFlowNoiseSchedule flow
            ? (null, FlowSchedulerWriter.Write(flow, parameterization, limit, sampling, learns))
            : Ddpm(schedule, parameterization, limit ?? ImageLimit.Clip(), sampling ?? new() { Variance = learns ? ReverseVariance.LearnedRange : ReverseVariance.FixedSmall }, learns);
        var index = new JsonObject
        {
            ["_class_name"] = "DDPMPipeline",
            [PipelineNotes.Key] = (notes with { Schedule = table, PatchSize = network.Options.Dialect.PatchSize }).ToJson(image),
            [VersionKey] = Version,
            ["scheduler"] = new JsonArray(Library, scheduler["_class_name"]!.DeepClone()),
            ["unet"] = new JsonArray(Library, network.ClassName),
        };
        return Checked(new DiffusersFolder(UNet2DClass.ToText(index), UNet2DClass.ToText(scheduler), WithVersion(network.ToJson())));
    }

    private static (ExactTable? Table, JsonObject Json) Ddpm(INoiseSchedule schedule, Parameterization parameterization, ImageLimit limit, DdpmOptions sampling, bool learns) =>
        DdpmSchedulerWriter.Write(schedule, parameterization, limit, sampling, learns);

    private static string WithVersion(string network)
    {
        var json = JsonNode.Parse(network)!.AsObject();
        json.Insert(1, VersionKey, Version);
        return UNet2DClass.ToText(json);
    }

    private static void CheckLabels(LabelOptions? labels, PipelineNotes notes)
    {
        var rows = labels is { Kind: LabelKind.Table } ? labels.Classes : 0;
        if (notes.NullLabel is { } label && (label < 0 || label >= rows))
        {
            throw new ArgumentException($"The null label must be one of the {rows} labels of the network; it is {label}.", nameof(notes));
        }

        var classes = notes.NullLabel == rows - 1 ? rows - 1 : rows;
        if (notes.ClassNames is { } names && names.Count != classes)
        {
            throw new ArgumentException($"The network has {classes} classes{(classes < rows ? ", the null label apart" : "")}; {names.Count} names are given.", nameof(notes));
        }
    }

    /// <summary>What is written can be read.</summary>
    private static DiffusersFolder Checked(DiffusersFolder folder)
    {
        try
        {
            var scheduler = folder.CreateScheduler();
            folder.Notes.Schedule?.Schedule(folder.SchedulerConfig, scheduler.Schedule);
            return folder;
        }
        catch (InvalidDataException error)
        {
            throw new ArgumentException($"{folder.SchedulerClass} of diffusers cannot express this diffusion: {error.Message}", error);
        }
    }
}
