using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The variational bound of a batch, term by term. Owns its tensors.</summary>
public sealed class LikelihoodReport : IDisposable
{
    internal LikelihoodReport(Tensor prior, Tensor terms, int[] weights, Tensor imageErrors, Tensor noiseErrors)
    {
        (Prior, Terms, ImageErrors, NoiseErrors) = (prior, terms, imageErrors, noiseErrors);
        using var scope = NewDisposeScope();
        var weighted = Array.TrueForAll(weights, weight => weight == 1) ? terms : terms * tensor(weights, terms.dtype, terms.device);
        Total = weighted.sum([1]).Plus(prior).MoveToOuterDisposeScope();
    }

    /// <summary>The bound on −log₂ of the likelihood, bits per dimension, [B]: terms and prior together.</summary>
    public Tensor Total { get; }

    /// <summary>What the last level keeps of the image, bits per dimension, [B].</summary>
    public Tensor Prior { get; }

    /// <summary>The term of each timestep, bits per dimension, [B, T]; at timestep 0 that of the decoder.</summary>
    public Tensor Terms { get; }

    /// <summary>The mean squared error of x̂₀ at each timestep, [B, T].</summary>
    public Tensor ImageErrors { get; }

    /// <summary>The mean squared error of the noise that x̂₀ implies at each timestep, [B, T].</summary>
    public Tensor NoiseErrors { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Total.Dispose();
        Prior.Dispose();
        Terms.Dispose();
        ImageErrors.Dispose();
        NoiseErrors.Dispose();
    }
}
