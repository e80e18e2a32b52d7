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

    /// <returns>[N, C, H, W] in [−1, 1], on the CPU.</returns>
    public static Tensor Read(ParseResult arguments, DataOptions options, int count)
    {
        if (arguments.GetValue(Files) is { Length: > 0 } files)
        {
            using var scope = NewDisposeScope();
            return cat([.. files.Select(file => Load(file.FullName, options))]).MoveToOuterDisposeScope();
        }

        using var source = (options with { Path = arguments.GetValue(Data)?.FullName ?? options.Path }).Open(ImageCodecs.Of(options));
        if (count < 1 || count > source.Count)
        {
            throw new UsageException($"--count must be in [1, {source.Count}], the images of {source.Name}; it is {count}.");
        }

        SkippedImages.Show(source);
        using var batch = source.Read([.. Enumerable.Range(0, count)]);
        return batch.Images.clone();
    }

    /// <summary>A file in the size and the channels of the run's images.</summary>
    public static Tensor Load(string path, DataOptions options) => File.Exists(path)
        ? ImageFile.Load(path, ImageCodecs.Of(options)).WithChannels(options.Channels).Resize(options.Size, options.Size, options.Fit).ToTensor()
        : throw new UsageException($"There is no file '{path}'.");
}
