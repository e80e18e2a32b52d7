namespace Diffusion;

/// <summary>An average whose decay is given by a half-life in images, so that it means the same for every batch size.</summary>
/// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, appendix F.2. The decay of an update is 0.5^(B/h), with B images from one update to the next.</remarks>
public sealed record EmaHalfLifeOptions : IValidatedOptions
{
    /// <summary>After how many images a set of weights counts half as much, above 0; 500,000 by default.</summary>
    public double Images { get; init; } = 500_000;

    /// <summary>In the beginning the half-life is at most this share of the images seen; 0.05 by default. 0 for no such limit.</summary>
    public double RampUp { get; init; } = 0.05;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Images, nameof(Images), 1e-3, 1e15),
        .. OptionsValidation.Range(RampUp, nameof(RampUp), 0, 1e9),
    ];

    internal double DecayAt(long update, int batchSize, int every)
    {
        var halfLife = RampUp > 0 ? Math.Min(Images, update * (double)batchSize * RampUp) : Images;
        return halfLife == 0 ? 0 : Math.Pow(0.5, (double)batchSize * every / halfLife);
    }
}
