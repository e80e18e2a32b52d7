namespace Diffusion;

/// <summary>A variance-preserving schedule from any list of βs: α_t = √ᾱ_t, σ_t = √(1 − ᾱ_t), ᾱ_t = ∏ (1 − β_s) over s ≤ t.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 2 and 4.</remarks>
public sealed class BetaNoiseSchedule : INoiseSchedule
{
    private readonly double[] _betas;
    private readonly double[] _alphaBars;

    /// <summary>Makes a schedule of <c>betas.Count</c> timesteps.</summary>
    /// <param name="betas">β_t for t = 0, 1, …: the variance of the noise that step t adds, each in (0, 1).</param>
    /// <exception cref="ArgumentException">The list is empty or a β is outside (0, 1).</exception>
    public BetaNoiseSchedule(IEnumerable<double> betas)
    {
        ArgumentNullException.ThrowIfNull(betas);
        _betas = [.. betas];
        if (_betas.Length == 0)
        {
            throw new ArgumentException("A schedule needs at least one beta; the list is empty.", nameof(betas));
        }

        var wrong = Array.FindIndex(_betas, beta => !(beta > 0 && beta < 1));
        if (wrong >= 0)
        {
            throw new ArgumentException($"Each beta must be in (0, 1); betas[{wrong}] is {_betas[wrong]:R}.", nameof(betas));
        }

        _alphaBars = new double[_betas.Length];
        var product = 1.0;
        for (var t = 0; t < _betas.Length; t++)
        {
            product *= 1 - _betas[t];
            _alphaBars[t] = product;
        }
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
}
