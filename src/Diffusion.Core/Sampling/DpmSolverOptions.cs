namespace Diffusion;

/// <summary>The variants of <see cref="DpmSolverSampler"/>.</summary>
public sealed record DpmSolverOptions
{
    /// <summary>In [1, 3]; 2 by default. 3 is more accurate where the network is, 2 with guidance.</summary>
    public int Order { get; init; } = 2;

    /// <summary>η, at least 0: 0 (default) solves the ordinary differential equation; 1 the stochastic one, with fresh noise in every step ("SDE").</summary>
    public double Eta { get; init; }

    /// <summary>Whether ε̂ is extrapolated (DPM-Solver) instead of x̂₀ (DPM-Solver++, the default, which stays stable with guidance). Deterministic only.</summary>
    public bool PredictNoise { get; init; }

    /// <summary>Whether the second order is that of Heun instead of the midpoint rule (default). Both are of second order.</summary>
    public bool Heun { get; init; }

    /// <summary>
    /// Whether the last term of order 3 has half its weight, as in the code of the method's authors, diffusers and k-diffusion. Their sampler is
    /// of second order only; by default (false) the term is whole and the order is 3. To get the same images as they, set it.
    /// </summary>
    public bool HalfCurvature { get; init; }

    /// <summary>Whether the order falls towards the end of the run, which few steps need; <see langword="null"/> (default): below 15 steps.</summary>
    public bool? LowerOrderAtEnd { get; init; }

    /// <summary>Whether the last step is of first order, whatever the number of steps; false by default. It always is where the run ends without noise.</summary>
    public bool EulerAtEnd { get; init; }

    /// <summary>The standard deviation of the fresh noise; 1 by default.</summary>
    public double NoiseScale { get; init; } = 1;

    internal DpmSolverOptions Validated()
    {
        var errors = new List<string>();
        if (Order is < 1 or > 3)
        {
            errors.Add($"Order must be in [1, 3]; it is {Order}.");
        }

        if (!double.IsFinite(Eta) || Eta < 0)
        {
            errors.Add(FormattableString.Invariant($"Eta must be a finite number, at least 0; it is {Eta:R}."));
        }

        if (PredictNoise && Eta > 0)
        {
            errors.Add(FormattableString.Invariant($"The stochastic form (Eta {Eta:R}) extrapolates the image: PredictNoise must be false."));
        }

        return errors.Count == 0 ? this : throw new ArgumentException(string.Join(" ", errors));
    }
}
