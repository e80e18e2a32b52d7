using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>Averages x̂₀ with its mirror image: every sampler then makes images that are symmetric from left to right.</summary>
internal sealed class SymmetricDenoiser(IDenoiser inner) : DelegatingDenoiser(inner)
{
    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) =>
        Inner.Predict(noisy, level, condition, estimate).MapImage(image =>
        {
            using var mirrored = image.flip(3);
            using var sum = image + mirrored;
            return sum / 2;
        });
}
