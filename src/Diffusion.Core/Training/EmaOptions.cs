namespace Diffusion;

/// <summary>The exponential moving average of the weights, which samples better than the weights themselves.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B, uses 0.9999. The warm-up min(decay, (1 + n)/(10 + n)) after n
/// updates keeps the random start out of the average of a short run.
/// </remarks>
public sealed record EmaOptions : IValidatedOptions
{
    /// <summary>The share of the old average that an update keeps, in [0, 1); 0.9999 by default. 0 turns averaging off: the average is the weights.</summary>
    public double Decay { get; init; } = 0.9999;

    /// <summary>Whether the decay starts small and grows to <see cref="Decay"/>; on by default.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>The decay of an update.</summary>
    /// <param name="update">The number of updates before this one, at least 0.</param>
    /// <returns>The share of the old average that is kept.</returns>
    public double DecayAt(long update) => WarmUp ? Math.Min(Decay, (1.0 + update) / (10.0 + update)) : Decay;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() => OptionsValidation.Range(Decay, nameof(Decay), 0, 0.9999999);
}
