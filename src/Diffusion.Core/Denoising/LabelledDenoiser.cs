using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A network with labels bound to it.</summary>
internal sealed class LabelledDenoiser(ConditionalDenoiser network, ImageLabels labels) : IBatchedDenoiser
{
    public INoiseSchedule Schedule => network.Schedule;

    public Device Device => network.Device;

    private ConditionalDenoiser Network => network;

    private ImageLabels Labels => labels;

    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        return network.Predict(noisy, level, labels.For(noisy));
    }

    public bool CanPredictWith(IDenoiser other) => other is LabelledDenoiser labelled && ReferenceEquals(labelled.Network, network);

    public (Prediction Own, Prediction Other) PredictWith(IDenoiser other, Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        if (!CanPredictWith(other))
        {
            throw new ArgumentException("Only labels of the same network share a call.", nameof(other));
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        long[] both = [.. labels.For(noisy), .. ((LabelledDenoiser)other).Labels.For(noisy)];
        var (own, second) = PredictionPair.Halves(network.Predict(cat([noisy, noisy]), level, both)); // [B, C, H, W] → [2·B, C, H, W]
        return (own.MoveToOuterDisposeScope(), second.MoveToOuterDisposeScope());
    }
}
