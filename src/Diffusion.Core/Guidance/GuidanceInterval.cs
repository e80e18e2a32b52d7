namespace Diffusion;

/// <summary>The noise levels at which guidance helps: above one σ/α, up to another.</summary>
/// <remarks>
/// Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion Models, arXiv:2404.07724; its σ is
/// the noise of x/α, so the interval means the same for every family of levels.
/// </remarks>
public sealed record GuidanceInterval
{
    /// <summary>Makes an interval.</summary>
    /// <param name="above">Guidance begins above this σ/α, at least 0.</param>
    /// <param name="upTo">Guidance ends at this σ/α, itself included; above <paramref name="above"/>; may be infinite.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound is negative or not a number, or the interval is empty.</exception>
    public GuidanceInterval(double above, double upTo)
    {
        if (!double.IsFinite(above) || above < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(above), above, "The lower bound must be finite and at least 0.");
        }

        if (!(upTo > above))
        {
            throw new ArgumentOutOfRangeException(nameof(upTo), upTo, FormattableString.Invariant($"The upper bound must be above the lower one, {above}."));
        }

        Above = above;
        UpTo = upTo;
    }

    /// <summary>The σ/α above which there is guidance, at least 0.</summary>
    public double Above { get; }

    /// <summary>The largest σ/α with guidance; may be infinite.</summary>
    public double UpTo { get; }

    /// <summary>Whether there is guidance at a level.</summary>
    /// <param name="level">Any level.</param>
    /// <returns><see langword="true"/> if its σ/α lies in the interval.</returns>
    public bool Contains(NoiseLevel level) => level.Ratio > Above && level.Ratio <= UpTo;
}
