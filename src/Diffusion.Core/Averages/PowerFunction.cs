namespace Diffusion;

/// <summary>
/// The average of weights that gives the weights of step τ, of t steps, the share (γ + 1)·τ^γ/t^(γ + 1): a profile that widens with the run, so that the random start
/// is forgotten whatever its length.
/// </summary>
/// <remarks>Analyzing and Improving the Training Dynamics of Diffusion Models, arXiv:2312.02696, section 3 and appendix C.</remarks>
/// <param name="Gamma">γ, at least 0.</param>
internal readonly record struct PowerFunction(double Gamma)
{
    /// <summary>γ = 0, the plain mean of all weights, has width 1/√12 ≈ 0.289.</summary>
    public const double MaxWidth = 0.28;

    /// <summary>σ_rel, the standard deviation of the profile as a share of t.</summary>
    public double Width => Math.Sqrt((Gamma + 1) / (Gamma + 3)) / (Gamma + 2);

    public static PowerFunction OfWidth(double width)
    {
        var (low, high) = (0.0, 2 / width); // Width falls with γ and is below 1/(γ + 2)
        for (var i = 0; i < 100; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = new PowerFunction(middle).Width > width ? (middle, high) : (low, middle);
        }

        return new PowerFunction(high);
    }

    /// <summary>The decay that gives the profile, step by step.</summary>
    /// <param name="update">The number of updates before this one.</param>
    public double DecayAt(long update) => Math.Pow(1 - (1 / (update + 1.0)), Gamma + 1);

    /// <summary>∫ p(τ)·q(τ) dτ of this profile over <paramref name="steps"/> steps and another one.</summary>
    public double Product(double steps, PowerFunction other, double otherSteps)
    {
        var (a, b) = (Gamma + 1, other.Gamma + 1);
        var min = Math.Min(steps, otherSteps);
        return a * b / (a + b - 1) * Math.Pow(min / steps, a) * Math.Pow(min / otherSteps, b) / min;
    }
}
