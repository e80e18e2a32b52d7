using Microsoft.Extensions.Options;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Draws images with a trained network.</summary>
internal static class SampleCommand
{
    public static void Run(SampleArguments arguments, CancellationToken cancellation)
    {
        DiffusionRuntime.EnsureLoaded();
        var trained = TrainedWeights.Find(arguments.Checkpoint);
        var sampling = trained.Options.Sampling;
        var options = trained.Options with
        {
            Sampling = sampling with { Count = arguments.Count ?? sampling.Count, Steps = arguments.Steps ?? sampling.Steps, Seed = arguments.Seed ?? sampling.Seed },
        };
        if (options.Validate().ToList() is { Count: > 0 } errors)
        {
            throw new OptionsValidationException("The command line", options.GetType(), errors.Select(error => error.ToString()));
        }

        using var network = options.CreateNetwork();
        Load(network, trained.File);
        network.to(cuda.is_available() ? CUDA : CPU);
        var folder = new RunFolder(arguments.Out);
        var denoiser = new NetworkDenoiser(network, options.Diffusion.CreateSchedule(), options.Diffusion.CreateParameterization());
        using var images = Drawing.Draw(denoiser, options, folder, cancellation);
        if (arguments.Raw)
        {
            Safetensors.Save(folder.RawSamples, [KeyValuePair.Create("images", images)]);
        }

        AnsiConsole.MarkupLineInterpolated($"Drew {options.Sampling.Count} images from {trained.File}: {folder.Picture(options.Data.Kind)}, {folder.Animation}{(arguments.Raw ? ", " + folder.RawSamples : "")}");
    }

    private static void Load(nn.Module network, string file)
    {
        using var weights = Safetensors.Load(file);
        try
        {
            Weights.Load(network, weights);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{file}' does not fit the network that its own configuration describes. {e.Message}", e);
        }
    }
}
