namespace Diffusion;

/// <summary>From βs to ᾱs and back, with the checks that every table passes.</summary>
internal static class VarianceTables
{
    /// <summary>The largest β of a schedule that is defined through ᾱ: arXiv:2102.09672, section 3.2.</summary>
    public const double PaperMaxBeta = 0.999;

    public static (double[] Betas, double[] AlphaBars) FromBetas(IEnumerable<double> betas)
    {
        ArgumentNullException.ThrowIfNull(betas);
        double[] table = [.. betas];
        if (table.Length == 0)
        {
            throw new ArgumentException("A schedule needs at least one beta; the list is empty.", nameof(betas));
        }

        // The last β may be 1, which leaves nothing of the image: zero terminal signal-to-noise.
        var wrong = Array.FindIndex(table, beta => !(beta > 0 && beta <= 1));
        wrong = wrong < 0 ? Array.IndexOf(table, 1.0, 0, table.Length - 1) : wrong;
        if (wrong >= 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Each beta must be in (0, 1), and only the last may be 1; betas[{wrong}] is {table[wrong]:R}."), nameof(betas));
        }

        var alphaBars = new double[table.Length];
        var product = 1.0;
        for (var t = 0; t < table.Length; t++)
        {
            product *= 1 - table[t];
            alphaBars[t] = product;
        }

        return (table, alphaBars);
    }

    public static (double[] Betas, double[] AlphaBars) FromAlphaBars(IEnumerable<double> alphaBars)
    {
        ArgumentNullException.ThrowIfNull(alphaBars);
        double[] table = [.. alphaBars];
        if (table.Length == 0)
        {
            throw new ArgumentException("A schedule needs at least one value of ᾱ; the list is empty.", nameof(alphaBars));
        }

        var betas = new double[table.Length];
        for (var t = 0; t < table.Length; t++)
        {
            var before = t == 0 ? 1 : table[t - 1];
            var lastMayVanish = t == table.Length - 1 && table[t] == 0;
            if (!(table[t] > 0 && table[t] < before) && !lastMayVanish)
            {
                throw new ArgumentException(FormattableString.Invariant($"ᾱ must decrease within (0, 1), and only the last may be 0; alphaBars[{t}] is {table[t]:R} after {before:R}."), nameof(alphaBars));
            }

            betas[t] = 1 - (table[t] / before);
        }

        return (betas, table);
    }

    /// <summary>β_t = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), the largest β), and the ᾱ table of these βs.</summary>
    public static (double[] Betas, double[] AlphaBars) FromAlphaBar(int timesteps, Func<double, double> alphaBar, double maxBeta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        if (!(maxBeta > 0 && maxBeta <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(maxBeta), maxBeta, "The largest beta must be in (0, 1].");
        }

        return FromBetas(Enumerable.Range(0, timesteps)
            .Select(t => Math.Min(1 - (alphaBar((t + 1.0) / timesteps) / alphaBar((double)t / timesteps)), maxBeta)));
    }

    /// <summary>From the first value to the last in even steps, both hit exactly.</summary>
    public static IEnumerable<double> Linspace(double first, double last, int count)
    {
        var step = count == 1 ? 0 : (last - first) / (count - 1);
        return Enumerable.Range(0, count).Select(i => i > 0 && i == count - 1 ? last : first + (step * i));
    }

    public static double Beta(double beta, string name) =>
        beta > 0 && beta < 1 ? beta : throw new ArgumentOutOfRangeException(name, beta, "A beta must be in (0, 1).");
}
