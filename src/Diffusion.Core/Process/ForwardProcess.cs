using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The forward process: from an image to its noisy version at any timestep, in one jump.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 4.</remarks>
public static class ForwardProcess
{
    /// <summary>x_t = α_t·x₀ + σ_t·ε, with a timestep of its own for every image.</summary>
    /// <param name="schedule">Gives α and σ.</param>
    /// <param name="images">x₀, floating point, [B, …].</param>
    /// <param name="noise">ε, standard normal, the shape of <paramref name="images"/>.</param>
    /// <param name="timesteps">Int64, [B], or one value for the whole batch; each in [0, T). Where they are already in .NET memory, the other overload avoids a device synchronisation.</param>
    /// <returns>x_t, the shape, type and device of <paramref name="images"/>.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A timestep is outside [0, T).</exception>
    public static Tensor AddNoise(this INoiseSchedule schedule, Tensor images, Tensor noise, Tensor timesteps)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        if (timesteps.dtype != ScalarType.Int64)
        {
            throw new ArgumentException($"Timesteps must be Int64; these are {timesteps.dtype}.", nameof(timesteps));
        }

        using var local = timesteps.cpu();
        return AddNoise(schedule, images, noise, local.data<long>().ToArray());
    }

    /// <inheritdoc cref="AddNoise(INoiseSchedule, Tensor, Tensor, Tensor)"/>
    public static Tensor AddNoise(this INoiseSchedule schedule, Tensor images, Tensor noise, ReadOnlySpan<long> timesteps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(noise);
        return AddNoise(images, noise, schedule.LevelsAt(timesteps));
    }

    /// <summary>x_t = α·x₀ + σ·ε, with a level of its own for every image.</summary>
    /// <param name="images">x₀, floating point, [B, …].</param>
    /// <param name="noise">ε, standard normal, the shape of <paramref name="images"/>.</param>
    /// <param name="levels">B levels, or one for the whole batch.</param>
    /// <returns>The noisy images, the shape, type and device of <paramref name="images"/>.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor AddNoise(Tensor images, Tensor noise, ReadOnlySpan<NoiseLevel> levels)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(noise);
        Guard.SameShape(images, noise);
        using var scope = NewDisposeScope();
        var alpha = PerImage.Coefficients(images, levels, level => level.Alpha);
        var sigma = PerImage.Coefficients(images, levels, level => level.Sigma);
        return (alpha * images).addcmul_(sigma, noise, Scalars.One).MoveToOuterDisposeScope();
    }

    /// <summary>The levels of several timesteps.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="timesteps">Each in [0, T).</param>
    /// <returns>One level a timestep.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A timestep is outside [0, T).</exception>
    public static NoiseLevel[] LevelsAt(this INoiseSchedule schedule, ReadOnlySpan<long> timesteps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var levels = new NoiseLevel[timesteps.Length];
        for (var i = 0; i < levels.Length; i++)
        {
            var t = timesteps[i];
            levels[i] = t >= 0 && t < schedule.Timesteps
                ? schedule.LevelAt((int)t)
                : throw new ArgumentOutOfRangeException(nameof(timesteps), t, $"The timestep at index {i} must be in [0, {schedule.Timesteps}).");
        }

        return levels;
    }
}
