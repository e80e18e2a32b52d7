using System.Diagnostics;
using Diffusion.Configuration;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Draws images with one sampler, seed after seed, and counts what that takes.</summary>
internal sealed class QualityDrawing(QualitySettings settings, QualityNetwork network, RunOptions options)
{
    private const double HalfLevels = 255 / 2.0;

    private readonly Sampler _sampler = options.CreateSampler();
    private readonly List<double> _seconds = [];

    /// <summary>The sampler, its steps and their spacing.</summary>
    public string Name => $"{options.Sampling.Sampler}, {_sampler.Levels(options.Diffusion.CreateSchedule()).Count - 1} steps, {_sampler.Spacing}";

    /// <summary>Calls of the network for the latest batch.</summary>
    public int Calls { get; private set; }

    /// <summary>For the images of a seed.</summary>
    public double Seconds => _seconds.Average();

    /// <returns>[N, C, H, W] in [−1, 1] in 256 levels, on the CPU, for the caller to dispose.</returns>
    public Tensor Draw(int seed)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        var batches = new List<Tensor>();
        for (var first = 0; first < settings.Images; first += options.Training.BatchSize)
        {
            batches.Add(Batch(seed, first, Math.Min(options.Training.BatchSize, settings.Images - first)));
        }

        _seconds.Add(watch.Elapsed.TotalSeconds);
        var levels = ((cat(batches).clamp(-1, 1) + 1) * HalfLevels).round();
        return ((levels / HalfLevels) - 1).MoveToOuterDisposeScope();
    }

    private Tensor Batch(int seed, int first, int count)
    {
        var denoiser = new CountingDenoiser(network.Denoiser(first, count));
        using var noise = new SeededNoise(seed, first);
        var drawn = _sampler.SampleFrom(denoiser, options.Data.Shape.Batch(count), noise).cpu();
        Calls = denoiser.Calls;
        return drawn;
    }
}
