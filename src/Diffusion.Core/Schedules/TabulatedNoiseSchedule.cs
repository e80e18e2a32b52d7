namespace Diffusion;

/// <summary>
/// A variance-preserving schedule given by a table of ᾱ: α_t = √ᾱ_t, σ_t = √(1 − ᾱ_t). The base of the schedules of this family; to use a
/// table of your own, take <see cref="BetaNoiseSchedule"/>.
/// </summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 2 and 4. Everything is computed in double precision.</remarks>
internal abstract class TabulatedNoiseSchedule : INoiseSchedule
{
    private readonly double[] _betas;
    private readonly double[] _alphaBars;

    private protected TabulatedNoiseSchedule(double[] betas, double[] alphaBars)
    {
        _betas = betas;
        _alphaBars = alphaBars;
    }

    private protected TabulatedNoiseSchedule((double[] Betas, double[] AlphaBars) tables)
        : this(tables.Betas, tables.AlphaBars)
    {
    }

    /// <inheritdoc/>
    public int Timesteps => _betas.Length;

    /// <summary>β_t, the variance of the noise that step t adds.</summary>
    public IReadOnlyList<double> Betas => _betas;

    /// <summary>ᾱ_t, the product of 1 − β_s over s ≤ t: the share of the image's variance that is left at t.</summary>
    public IReadOnlyList<double> AlphaBars => _alphaBars;

    /// <inheritdoc/>
    public NoiseLevel LevelAt(int timestep)
    {
        if ((uint)timestep >= (uint)_betas.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {_betas.Length}).");
        }

        return new NoiseLevel(Math.Sqrt(_alphaBars[timestep]), Math.Sqrt(1 - _alphaBars[timestep]), timestep);
    }

    /// <inheritdoc/>
    public NoiseLevel LevelAt(double timestep) => Interpolation.LevelAt(this, timestep);

    /// <inheritdoc/>
    public NoiseLevel LevelWithRatio(double ratio) => Interpolation.LevelWithRatio(this, ratio);
}
