namespace Diffusion;

/// <summary>The variants of <see cref="UniPcSampler"/>.</summary>
public sealed record UniPcOptions
{
    /// <summary>In [1, 3]; 2 by default.</summary>
    public int Order { get; init; } = 2;

    /// <summary>Whether B(h) = e^h − 1 (B₂, the default) or h (B₁, the paper's choice for unconditional images) scales the correction.</summary>
    public bool SecondScale { get; init; } = true;

    /// <summary>Whether ε̂ is extrapolated instead of x̂₀ (the default).</summary>
    public bool PredictNoise { get; init; }

    /// <summary>The steps, from 0, after which the result is not corrected; none by default.</summary>
    public IReadOnlyList<int> UncorrectedSteps { get; init; } = [];

    /// <summary>Whether the order falls towards the end of the run; true by default.</summary>
    public bool LowerOrderAtEnd { get; init; } = true;

    internal UniPcOptions Validated() => Order is >= 1 and <= 3
        ? this
        : throw new ArgumentException($"Order must be in [1, 3]; it is {Order}.");
}
