using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A network with a context bound to it.</summary>
internal sealed class BoundContext(ContextDenoiser network, Tensor context) : IBatchedDenoiser
{
    public INoiseSchedule Schedule => network.Schedule;

    public Device Device => network.Device;

    private ContextDenoiser Network => network;

    private Tensor Context => context;

    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        using var scope = NewDisposeScope();
        return network.Predict(noisy, level, For(noisy)).MoveToOuterDisposeScope();
    }

    /// <remarks>Contexts of different lengths do not fit into one batch: padding would be attended to.</remarks>
    public bool CanPredictWith(IDenoiser other) =>
        other is BoundContext bound && ReferenceEquals(bound.Network, network) && bound.Context.shape.AsSpan(1).SequenceEqual(context.shape.AsSpan(1));

    public (Prediction Own, Prediction Other) PredictWith(IDenoiser other, Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        if (!CanPredictWith(other))
        {
            throw new ArgumentException("Only contexts of one length, of the same network, share a call.", nameof(other));
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (own, second) = (For(noisy), ((BoundContext)other).For(noisy));
        var both = cat([own, second.to(own.device).to(own.dtype)]);
        var (first, last) = PredictionPair.Halves(network.Predict(cat([noisy, noisy]), level, both)); // [B, C, H, W] → [2·B, C, H, W]
        return (first.MoveToOuterDisposeScope(), last.MoveToOuterDisposeScope());
    }

    /// <summary>The context of each image of the batch [B, …].</summary>
    private Tensor For(Tensor noisy)
    {
        var images = noisy.dim() == 0 ? 0 : noisy.shape[0];
        return context.shape[0] == images || context.shape[0] == 1
            ? context.expand(images, -1, -1)
            : throw new ArgumentException($"There must be one context for all images or one for each; {context.shape[0]} were given for a batch of shape [{string.Join(", ", noisy.shape)}].", nameof(noisy));
    }
}
