using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The newest x̂₀ of a sampling run, for networks with self-conditioning: also within a step of several evaluations.</summary>
/// <remarks>Analog Bits, arXiv:2208.04202, algorithm 2.</remarks>
internal sealed class SelfEstimate(bool isUsed) : IDisposable
{
    private Tensor? _image;

    /// <summary>The estimate for the next prediction, in the type of x; <see langword="null"/> where there is none yet. It lives until the prediction after.</summary>
    public Tensor? For(Tensor noisy) => _image is null ? null : StepMath.Like(noisy, _image);

    /// <summary>Keeps a copy of a prediction.</summary>
    public void Set(Tensor image)
    {
        if (!isUsed)
        {
            return;
        }

        _image?.Dispose();
        _image = image.clone().DetachFromDisposeScope();
    }

    public void Dispose() => _image?.Dispose();
}
