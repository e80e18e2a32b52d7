using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a denoiser says of a noisy sample. Owns its tensors.</summary>
/// <param name="Image">x̂₀, [B, C, H, W].</param>
/// <param name="Variance">The second half of the output of a network with twice the channels, [B, C, H, W]: what <see cref="ReverseVariance"/> makes of
/// it decides the variance of an ancestral step. <see langword="null"/> where the network has no such output.</param>
public readonly record struct Prediction(Tensor Image, Tensor? Variance = null) : IDisposable
{
    /// <summary>x̂₀ before <see cref="ImageLimit"/> was applied, for samplers that keep the predicted noise; <see langword="null"/> where nothing was limited.</summary>
    public Tensor? Unlimited { get; init; }

    /// <summary>Replaces x̂₀, as a denoiser around a denoiser does.</summary>
    /// <param name="map">From x̂₀ to another of its shape; it may also change x̂₀ and return it.</param>
    /// <returns>The prediction with the new x̂₀ and the same variance. The old x̂₀ is disposed, unless it is returned.</returns>
    public Prediction MapImage(Func<Tensor, Tensor> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        var mapped = map(Image);
        Unlimited?.Dispose();
        if (!ReferenceEquals(mapped, Image))
        {
            Image.Dispose();
        }

        return new Prediction(mapped, Variance);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Image?.Dispose();
        Variance?.Dispose();
        Unlimited?.Dispose();
    }

    /// <summary>Moves all tensors, as <c>MoveToOuterDisposeScope</c> moves one.</summary>
    internal Prediction MoveToOuterDisposeScope() => Select(tensor => tensor.MoveToOuterDisposeScope());

    /// <summary>Copies rows [first, first + count) of every tensor. The whole is not disposed.</summary>
    internal Prediction Rows(long first, long count) => Select(tensor => tensor.narrow(0, first, count).clone());

    private Prediction Select(Func<Tensor, Tensor> map) =>
        new(map(Image), Variance is null ? null : map(Variance)) { Unlimited = Unlimited is null ? null : map(Unlimited) };
}
