using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Counts the calls of a denoiser and passes everything on.</summary>
internal sealed class CountingDenoiser(IDenoiser inner) : DelegatingDenoiser(inner)
{
    public int Calls { get; private set; }

    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        Calls++;
        return base.Predict(noisy, level, condition, estimate);
    }
}
