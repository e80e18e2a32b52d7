using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A training run of this library, step by step.</summary>
internal sealed class OwnTraining : IDisposable
{
    private readonly Trainer _trainer;
    private readonly IEnumerator<TrainingStep> _steps;

    private OwnTraining(nn.Module<Tensor, Tensor, Tensor> network, IImageSource images, TrainerOptions options)
    {
        _trainer = new Trainer(network, new LinearNoiseSchedule(), options);
        _steps = _trainer.Steps(images).GetEnumerator();
    }

    /// <summary>Begins a run that is longer than any benchmark; <see langword="null"/> where the library does not train in the format.</summary>
    public static OwnTraining? Start(nn.Module<Tensor, Tensor, Tensor> network, IImageSource images, NumberFormat format = NumberFormat.Fp32, double? gradientClip = null)
    {
        var options = new TrainerOptions { Steps = int.MaxValue, BatchSize = images.Count, Optimizer = new OptimizerOptions { GradientClip = gradientClip } };
        return NumberFormats.Training(options, format) is { } chosen ? new OwnTraining(network, images, chosen) : null;
    }

    /// <summary>One step.</summary>
    public void Step() => _steps.MoveNext();

    public void Dispose()
    {
        _steps.Dispose();
        _trainer.Dispose();
    }
}
