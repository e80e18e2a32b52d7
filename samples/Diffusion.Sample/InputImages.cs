using System.CommandLine;
using Diffusion.Configuration;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The images that a command starts from: files, or the first ones of the data set.</summary>
internal static class InputImages
{
    public static readonly Option<FileInfo[]> Files = new("--input") { Description = "Image files to start from, instead of the first --count of the data set.", AllowMultipleArgumentsPerToken = true };
    public static readonly Option<DirectoryInfo> Data = new("--data") { Description = "The folder of the data set, instead of the configuration's." };

    /// <summary>What is known of a network's images, with what the command line says of how files are read.</summary>
    /// <exception cref="UsageException">The command line is wrong.</exception>
    public static DataOptions Options(ParseResult arguments, TrainedModel model) => ImageCodecs.Over(model.Options.Data, arguments.GetValue(ImageCodecs.Name));

    /// <summary>Refuses what says which images of a data set where files are given.</summary>
    /// <exception cref="UsageException">It is given.</exception>
    public static void ThrowIfUnused(ParseResult arguments)
    {
        if (arguments.GetValue(Files) is { Length: > 0 })
        {
            UsageException.IfUnused("--input says which images.", arguments, DrawingOptions.Count, Data);
        }
    }

    /// <summary>Refuses a codec where no file is decoded.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="model">The network, of whose data set images are where none are given.</param>
    /// <param name="decoded">Whether another file is.</param>
    /// <exception cref="UsageException">One is given.</exception>
    public static void ThrowIfCodecUnused(ParseResult arguments, TrainedModel model, bool decoded = false)
    {
        if (!decoded && arguments.GetValue(Files) is not { Length: > 0 } && model.Options.Data.Kind == DataKind.Mnist)
        {
            UsageException.IfUnused("no image file is decoded.", arguments, ImageCodecs.Name);
        }
    }

    /// <returns>[N, C, H, W] in [−1, 1], on the CPU.</returns>
    public static Tensor Read(ParseResult arguments, TrainedModel model, int count)
    {
        var (options, shape) = (Options(arguments, model), model.Shape);
        if (arguments.GetValue(Files) is { Length: > 0 } files)
        {
            using var scope = NewDisposeScope();
            return cat([.. files.Select(file => Load(file.FullName, options, shape))]).MoveToOuterDisposeScope();
        }

        var path = arguments.GetValue(Data)?.FullName ?? options.Path;
        if (path.Length == 0 || shape.Height != shape.Width)
        {
            throw new UsageException(path.Length == 0
                ? $"'{model.File}' does not say where images are: give files by --input, or a folder of them by --data."
                : $"The images of '{model.File}' are {shape}, and those of --data are made square: give files by --input.");
        }

        using var source = (options with { Path = path }).Open(ImageCodecs.Of(options));
        if (count < 1 || count > source.Count)
        {
            throw new UsageException($"--count must be in [1, {source.Count}], the images of {source.Name}; it is {count}.");
        }

        SkippedImages.Show(source);
        using var batch = source.Read([.. Enumerable.Range(0, count)]);
        return batch.Images.clone();
    }

    /// <summary>A file in the size and the channels of the run's images.</summary>
    private static Tensor Load(string path, DataOptions options, ImageShape shape) => File.Exists(path)
        ? ImageFile.Load(path, ImageCodecs.Of(options)).WithChannels(options.Channels).Resize(shape.Width, shape.Height, options.Fit).ToTensor()
        : throw new UsageException($"There is no file '{path}'.");
}
