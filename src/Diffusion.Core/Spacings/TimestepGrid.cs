using System.Collections;
using System.Numerics;

namespace Diffusion;

/// <summary>The training timesteps that a sampler visits, from noise to image: strictly decreasing, at least one. Immutable.</summary>
internal sealed class TimestepGrid : IReadOnlyList<int>
{
    private readonly int[] _timesteps;

    /// <summary>A grid of exactly these timesteps.</summary>
    /// <param name="timesteps">Strictly decreasing, none negative, at least one.</param>
    /// <exception cref="ArgumentException">The list is empty, not decreasing, or has a negative timestep.</exception>
    public TimestepGrid(IEnumerable<int> timesteps)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        _timesteps = [.. timesteps];
        ThrowUnlessDecreasing<int>(_timesteps, nameof(timesteps));
    }

    /// <summary>An error unless there is a timestep, none is negative or not a number, and they decrease.</summary>
    internal static void ThrowUnlessDecreasing<T>(ReadOnlySpan<T> timesteps, string name)
        where T : INumber<T>
    {
        if (timesteps.IsEmpty)
        {
            throw new ArgumentException("A grid needs at least one timestep; the list is empty.", name);
        }

        for (var i = 0; i < timesteps.Length; i++)
        {
            if (!(timesteps[i] >= T.Zero) || (i > 0 && !(timesteps[i] < timesteps[i - 1])))
            {
                throw new ArgumentException(FormattableString.Invariant($"Timesteps must decrease and not be negative; timesteps[{i}] is {timesteps[i]}{(i > 0 ? FormattableString.Invariant($" after {timesteps[i - 1]}") : "")}."), name);
            }
        }
    }

    /// <inheritdoc/>
    public int Count => _timesteps.Length;

    /// <inheritdoc/>
    public int this[int index] => _timesteps[index];

    /// <summary>
    /// Evenly spaced timesteps from T − 1 down to 0, both included, rounded to integers, halves to even; with one step, T − 1 alone.
    /// <c>timestep_spacing</c> "linspace" in diffusers.
    /// </summary>
    /// <param name="timesteps">T, the number of training timesteps.</param>
    /// <param name="steps">How many to visit, in [1, T]; T means all of them.</param>
    /// <returns>The grid.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More steps than timesteps, or none.</exception>
    public static TimestepGrid Linspace(int timesteps, int steps)
    {
        ThrowUnlessSteps(timesteps, steps);
        return new TimestepGrid(steps == 1
            ? [timesteps - 1]
            : VarianceTables.Linspace(0, timesteps - 1, steps).Reverse().Select(t => (int)Math.Round(t)));
    }

    /// <summary>Multiples of the integer stride T/steps, from 0 upwards, plus an offset: the spacing of DDIM. Does not reach T − 1.</summary>
    /// <remarks>Common Diffusion Noise Schedules and Sample Steps Are Flawed, arXiv:2305.08891, table 2 ("leading").</remarks>
    /// <param name="timesteps">T, the number of training timesteps.</param>
    /// <param name="steps">How many to visit, in [1, T].</param>
    /// <param name="offset">Added to each, at least 0; no timestep may leave [0, T).</param>
    /// <returns>The grid.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More steps than timesteps, none, or an offset that leads beyond T − 1.</exception>
    public static TimestepGrid Leading(int timesteps, int steps, int offset = 0)
    {
        ThrowUnlessSteps(timesteps, steps);
        var stride = timesteps / steps;
        var last = ((steps - 1) * stride) + offset;
        if (offset < 0 || last >= timesteps)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"The offset must be in [0, {timesteps - 1 - ((steps - 1) * stride)}] for {steps} of {timesteps} timesteps.");
        }

        return new TimestepGrid(Enumerable.Range(0, steps).Select(i => last - (i * stride)));
    }

    /// <summary>Timesteps at distance T/steps counted down from T, minus one: begins at T − 1, as few steps and zero terminal signal-to-noise need.</summary>
    /// <remarks>arXiv:2305.08891, table 2 ("trailing"); halves are rounded to even.</remarks>
    /// <param name="timesteps">T, the number of training timesteps.</param>
    /// <param name="steps">How many to visit, in [1, T].</param>
    /// <returns>The grid.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More steps than timesteps, or none.</exception>
    public static TimestepGrid Trailing(int timesteps, int steps)
    {
        ThrowUnlessSteps(timesteps, steps);
        return new TimestepGrid(Enumerable.Range(0, steps).Select(i => (int)Math.Round(timesteps - (i * ((double)timesteps / steps))) - 1));
    }

    /// <summary>
    /// Of the original timesteps T/o − 1, 2·T/o − 1, … T − 1 that a consistency model was distilled at, evenly spaced ones from the last downwards.
    /// </summary>
    /// <remarks>Latent Consistency Models, arXiv:2310.04378, section 4.3.</remarks>
    /// <param name="timesteps">T, the number of training timesteps.</param>
    /// <param name="steps">How many to visit, in [1, <paramref name="original"/>].</param>
    /// <param name="original">o, how many timesteps the distillation used, in [1, T]; 50 by default.</param>
    /// <returns>The grid.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More steps than original timesteps, or none.</exception>
    public static TimestepGrid Distilled(int timesteps, int steps, int original = 50)
    {
        if (original < 1 || original > timesteps)
        {
            throw new ArgumentOutOfRangeException(nameof(original), original, $"The distillation of a consistency model takes {original} timesteps, and the schedule has {timesteps}: give the sampler another spacing, or a schedule of at least {original}.");
        }

        if (steps < 1 || steps > original)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The number of steps must be in [1, {original}], the number of timesteps of the distillation.");
        }

        var stride = timesteps / original;
        // From the last of the o timesteps downwards, at the whole parts of i·o/steps.
        return new TimestepGrid(Enumerable.Range(0, steps).Select(i => ((original - (int)(i * ((double)original / steps))) * stride) - 1));
    }

    /// <summary>
    /// Respacing as the improved-DDPM code writes it: "ddim25" for 25 timesteps at the smallest integer stride that gives exactly 25, or
    /// "10,15,20" for T divided into three equal sections with so many timesteps each, both ends of every section included.
    /// </summary>
    /// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, section 4.</remarks>
    /// <param name="timesteps">T, the number of training timesteps.</param>
    /// <param name="sections">"ddim" and a count, or counts separated by commas.</param>
    /// <returns>The grid.</returns>
    /// <exception cref="ArgumentException">The text is neither, or T cannot be divided so.</exception>
    public static TimestepGrid Respaced(int timesteps, string sections)
    {
        ArgumentException.ThrowIfNullOrEmpty(sections);
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        return new TimestepGrid(Respacing.Parse(timesteps, sections).Reverse());
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_timesteps).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static void ThrowUnlessSteps(int timesteps, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        if (steps < 1 || steps > timesteps)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The number of sampling steps must be in [1, {timesteps}], the number of training timesteps.");
        }
    }
}
