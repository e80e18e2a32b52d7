using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Observers;

/// <summary>Features that cancel a run in one of their calls.</summary>
/// <param name="features">The features.</param>
/// <param name="run">What is cancelled.</param>
/// <param name="call">In which call, from 1.</param>
internal sealed class CancellingFeatures(IFeatureExtractor features, CancellationTokenSource run, int call) : IFeatureExtractor
{
    public string Name => features.Name;

    public int Features => features.Features;

    /// <summary>How often they were asked for.</summary>
    public int Calls { get; private set; }

    public Tensor Extract(Tensor images)
    {
        if (++Calls == call)
        {
            run.Cancel();
        }

        return features.Extract(images);
    }

    public void Dispose()
    {
    }
}
