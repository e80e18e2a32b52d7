using Diffusion.Configuration;
using Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A network with the weights that images are drawn with: trained here, then with their moving average, or loaded.</summary>
internal sealed class QualityNetwork : IDisposable
{
    private readonly RunOptions _options;
    private readonly UNet _network;
    private readonly Trainer? _trainer;

    private QualityNetwork(RunOptions options, UNet network, Trainer? trainer) => (_options, _network, _trainer) = (options, network, trainer);

    public static QualityNetwork Train(RunOptions options, IImageSource images)
    {
        var network = options.CreateNetwork();
        network.to(cuda.is_available() ? CUDA : CPU);
        var trainer = options.CreateTrainer(network, images, options.Training with { Checkpoints = new() });
        trainer.Fit(images);
        return new QualityNetwork(options, network, trainer);
    }

    /// <exception cref="FormatException">The file is not of this configuration.</exception>
    public static QualityNetwork Load(RunOptions options, string file)
    {
        Check(options, file);
        var network = options.CreateNetwork();
        using var weights = Safetensors.Load(file);
        try
        {
            Weights.Load(network, weights);
        }
        catch (ArgumentException e)
        {
            network.Dispose();
            throw new FormatException($"'{file}' does not fit the network of the configuration. {e.Message}", e);
        }

        network.to(cuda.is_available() ? CUDA : CPU);
        return new QualityNetwork(options, network, null);
    }

    /// <summary>The denoiser of a batch, clipped to [−1, 1]: all labels in turn where the network is told any, without guidance, which draws from another distribution than that of the images.</summary>
    public IDenoiser Denoiser(int first, int count)
    {
        var denoiser = _trainer?.Ema ?? _options.CreateDenoiser(_network);
        return (_options.NullLabel is { } none ? denoiser.With([.. Enumerable.Range(first, count).Select(i => i % none)]) : denoiser).Limited(ImageLimit.Clip());
    }

    public void Dispose()
    {
        _trainer?.Dispose();
        _network.Dispose();
    }

    /// <summary>The same weights mean something else with another schedule or prediction.</summary>
    private static void Check(RunOptions options, string file)
    {
        using var weights = SafetensorsFile.Open(file);
        if (weights.Metadata.TryGetValue(RunConfiguration.MetadataKey, out var json) && RunConfiguration.Parse(json, file).Diffusion is var trained && trained != options.Diffusion)
        {
            throw new FormatException($"'{file}' was trained with {trained}, the configuration has {options.Diffusion}.");
        }
    }
}
