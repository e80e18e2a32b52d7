namespace Diffusion.Evaluation;

/// <summary>A kernel k(x, y) between the features of two images, for <see cref="KernelDistance"/>. Immutable.</summary>
/// <remarks>
/// Polynomial: Demystifying MMD GANs, arXiv:1801.01401, section 4: (⟨x, y⟩/D + 1)³. Gaussian: Rethinking FID, arXiv:2401.09603, section 4: exp(−‖x − y‖²/2σ²) with σ = 10 for embeddings of CLIP.
/// </remarks>
public sealed record FeatureKernel
{
    private FeatureKernel()
    {
    }

    /// <summary>The degree of a polynomial kernel; <see langword="null"/> for a Gaussian one.</summary>
    public int? Degree { get; private init; }

    /// <summary>The factor of ⟨x, y⟩ of a polynomial kernel; <see langword="null"/> for 1/D, or where the kernel is Gaussian.</summary>
    public double? Gamma { get; private init; }

    /// <summary>The summand of a polynomial kernel; 0 where the kernel is Gaussian.</summary>
    public double Offset { get; private init; }

    /// <summary>σ of a Gaussian kernel, in the unit of the features; <see langword="null"/> for a polynomial one.</summary>
    public double? Bandwidth { get; private init; }

    /// <summary>(γ⟨x, y⟩ + c)^degree.</summary>
    /// <param name="degree">At least 1; 3 by default, as in the kernel inception distance.</param>
    /// <param name="gamma">γ, finite and above 0; <see langword="null"/> (default) for 1/D, D being the number of features.</param>
    /// <param name="offset">c, finite and at least 0; 1 by default.</param>
    /// <returns>The kernel.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static FeatureKernel Polynomial(int degree = 3, double? gamma = null, double offset = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degree, 1);
        if (gamma is { } factor && !(double.IsFinite(factor) && factor > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(gamma), factor, "γ must be finite and above 0.");
        }

        if (!(double.IsFinite(offset) && offset >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "The summand must be finite and at least 0.");
        }

        return new FeatureKernel { Degree = degree, Gamma = gamma, Offset = offset };
    }

    /// <summary>exp(−‖x − y‖²/(2σ²)).</summary>
    /// <param name="bandwidth">σ, in the unit of the features, finite and above 0.</param>
    /// <returns>The kernel.</returns>
    /// <exception cref="ArgumentOutOfRangeException">σ is outside its range.</exception>
    public static FeatureKernel Gaussian(double bandwidth) => double.IsFinite(bandwidth) && bandwidth > 0
        ? new FeatureKernel { Bandwidth = bandwidth }
        : throw new ArgumentOutOfRangeException(nameof(bandwidth), bandwidth, "σ must be finite and above 0.");

    /// <inheritdoc/>
    public override string ToString() => Bandwidth is { } sigma
        ? FormattableString.Invariant($"exp(-|x-y|²/(2·{sigma}²))")
        : FormattableString.Invariant($"({Gamma?.ToString("G6", System.Globalization.CultureInfo.InvariantCulture) ?? "1/D"}·<x,y> + {Offset})^{Degree}");

    /// <summary>Visits the kernel's values of all pairs.</summary>
    internal void Visit(FeatureRows rows, FeatureRows columns, PairVisitor visitor, CancellationToken cancellationToken)
    {
        if (Bandwidth is { } sigma)
        {
            var factor = -1 / (2 * sigma * sigma);
            AllPairs.Visit<SquaredDistances>(rows, columns, Mapped(value => Math.Exp(value * factor)), cancellationToken);
            return;
        }

        var (gamma, degree) = (Gamma ?? 1.0 / rows.Size, Degree!.Value);
        AllPairs.Visit<Products>(rows, columns, Mapped(value => Power((gamma * value) + Offset, degree)), cancellationToken);

        PairVisitor Mapped(Func<double, double> kernel) => (row, first, values) =>
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = kernel(values[i]);
            }

            visitor(row, first, values);
        };
    }

    private static double Power(double value, int exponent)
    {
        var result = 1.0;
        for (; exponent > 0; exponent >>= 1, value *= value)
        {
            result *= (exponent & 1) == 1 ? value : 1;
        }

        return result;
    }
}
