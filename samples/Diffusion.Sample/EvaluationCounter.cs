using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Counts the images that a network is evaluated of, and passes everything on.</summary>
internal sealed class EvaluationCounter(IDenoiser inner) : DelegatingDenoiser(inner)
{
    /// <summary>How many so far; guidance asks for two an image.</summary>
    public long Images { get; private set; }

    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        Images += noisy.shape[0];
        return base.Predict(noisy, level, condition, estimate);
    }
}
