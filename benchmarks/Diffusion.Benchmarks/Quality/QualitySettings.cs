using Diffusion.Configuration;
using Diffusion.Models;
using Microsoft.Extensions.Options;

namespace Diffusion.Benchmarks;

/// <summary>What <c>quality</c> is asked for.</summary>
/// <param name="Options">The run: images, network, training.</param>
/// <param name="Weights">A file of trained weights; <see langword="null"/> to train.</param>
/// <param name="Images">How many each sampler draws.</param>
/// <param name="Seeds">How often each does.</param>
/// <param name="Quick">Whether the network is so small that the numbers mean nothing.</param>
internal sealed record QualitySettings(RunOptions Options, string? Weights, int Images, int Seeds, bool Quick)
{
    private const int QuickImages = 80;

    public static string Usage { get; } = "usage: quality <configuration.json> [--weights FILE | --steps-of-training S] [--images N; 256] [--seeds K; 2] [--quick]";

    /// <exception cref="FormatException">The arguments are wrong.</exception>
    public static QualitySettings Of(Arguments arguments)
    {
        var quick = arguments.Flag("--quick");
        var weights = arguments.Text("--weights");
        var steps = arguments.Number("--steps-of-training", 0);
        var (images, seeds) = (arguments.Number("--images", quick ? QuickImages : 256), arguments.Number("--seeds", quick ? 1 : 2));
        var file = arguments.Rest() switch
        {
            [var one] => one,
            [] when quick => Path.Combine(Golden.Folder, "..", "..", "samples", "configs", "mnist-quick.json"),
            _ => throw new FormatException(Usage),
        };
        if (weights is not null && (steps > 0 || quick))
        {
            throw new FormatException($"--weights are trained already: leave out --steps-of-training and --quick.\n{Usage}");
        }

        if (images <= RandomFeatures.Count)
        {
            throw new FormatException($"--images must be more than the {RandomFeatures.Count} features; it is {images}.");
        }

        var options = Load(file);
        options = quick ? Smallest(options) : options;
        return new QualitySettings(Checked(steps > 0 ? options with { Training = options.Training with { Steps = steps, Epochs = null } } : options), weights is null ? null : Found(weights), images, seeds, quick);
    }

    private static RunOptions Load(string file)
    {
        try
        {
            return RunConfiguration.Load(file);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or OptionsValidationException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static RunOptions Checked(RunOptions options) =>
        options.Validate().FirstOrDefault() is { } error ? throw new FormatException($"The configuration with these arguments: {error}") : options;

    /// <summary>The averaged weights of a folder, or the file itself.</summary>
    private static string Found(string weights)
    {
        var file = Directory.Exists(weights) ? Path.Combine(weights, Checkpoint.EmaFile) : weights;
        return File.Exists(file) ? file : throw new FormatException($"There is no file '{file}'.");
    }

    private static RunOptions Smallest(RunOptions options) => options with
    {
        Model = options.Model with { StemChannels = 8, Down = [new DownBlockOptions { Channels = 8, Layers = 1 }], Mid = [], Up = [], TimeDimension = 8 },
        Diffusion = options.Diffusion with { Timesteps = 50 },
        Training = options.Training with { Steps = 1, Epochs = null, BatchSize = 16, LearningRateSchedule = new() },
        Sampling = new(),
        Watch = new(),
    };
}
