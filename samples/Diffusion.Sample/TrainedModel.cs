using Diffusion.Configuration;
using Diffusion.Models;
using Microsoft.Extensions.Options;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>A trained network, ready to draw, with its run's options as the command line changes them.</summary>
internal sealed class TrainedModel : IDisposable
{
    private readonly UNet _network;

    private TrainedModel(string file, RunOptions options, UNet network, long? label)
    {
        (File, Options, _network) = (file, options, network);
        Labels = new LabelledDrawing(options.CreateDenoiser(network), options, label);
        Plain = Labels.Plain;
        Denoiser = options.Sampling.Limit(Plain);
    }

    public string File { get; }

    public RunOptions Options { get; }

    /// <summary>The network with labels bound to it, image by image.</summary>
    public LabelledDrawing Labels { get; }

    /// <summary>The network as it is: what inversion needs.</summary>
    public IDenoiser Plain { get; }

    /// <summary>The network with the configuration's clipping.</summary>
    public IDenoiser Denoiser { get; }

    public static TrainedModel Load(DrawingArguments arguments)
    {
        DiffusionRuntime.EnsureLoaded();
        var trained = TrainedWeights.Find(arguments.Checkpoint);
        CheckSchedule(arguments.Schedule, trained.Options.Diffusion.Schedule);
        var label = LabelledDrawing.Find(trained.File, trained.Options, arguments);
        var options = trained.Options with { Sampling = arguments.Over(trained.Options.Sampling) };
        if (options.Validate().ToList() is { Count: > 0 } errors)
        {
            throw new OptionsValidationException("The command line", options.GetType(), errors.Select(error => error.ToString()));
        }

        var network = options.CreateNetwork();
        try
        {
            Fill(network, trained.File);
            network.to(cuda.is_available() ? CUDA : CPU);
            if (label is { } one)
            {
                AnsiConsole.MarkupLineInterpolated($"{ClassList.Describe(options.Data, one)}");
            }

            return new TrainedModel(trained.File, options, network, label);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    public void Dispose() => _network.Dispose();

    private static void CheckSchedule(string? asked, string trained)
    {
        if (asked is not null && !NoiseSchedule.Names.Contains(asked, StringComparer.OrdinalIgnoreCase))
        {
            throw new UsageException($"--schedule must be one of {string.Join(", ", NoiseSchedule.Names)}; it is '{asked}'.");
        }

        if (asked is not null && !asked.Equals(trained, StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"--schedule {asked} contradicts the run's configuration: the network was trained with the schedule '{trained}' and works with no other. Leave --schedule out; it is for the command train.");
        }
    }

    private static void Fill(UNet network, string file)
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
