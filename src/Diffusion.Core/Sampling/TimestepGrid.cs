using System.Collections;

namespace Diffusion;

/// <summary>The training timesteps that a sampler visits, from noise to image: strictly decreasing, at least one. Immutable.</summary>
public sealed class TimestepGrid : IReadOnlyList<int>
{
    private readonly int[] _timesteps;

    /// <summary>A grid of exactly these timesteps.</summary>
    /// <param name="timesteps">Strictly decreasing, none negative, at least one.</param>
    /// <exception cref="ArgumentException">The list is empty, not decreasing, or has a negative timestep.</exception>
    public TimestepGrid(IEnumerable<int> timesteps)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        _timesteps = [.. timesteps];
        if (_timesteps.Length == 0)
        {
            throw new ArgumentException("A grid needs at least one timestep; the list is empty.", nameof(timesteps));
        }

        for (var i = 0; i < _timesteps.Length; i++)
        {
            if (_timesteps[i] < 0 || (i > 0 && _timesteps[i] >= _timesteps[i - 1]))
            {
                throw new ArgumentException($"Timesteps must decrease and not be negative; timesteps[{i}] is {_timesteps[i]}{(i > 0 ? $" after {_timesteps[i - 1]}" : "")}.", nameof(timesteps));
            }
        }
    }

    /// <inheritdoc/>
    public int Count => _timesteps.Length;

    /// <inheritdoc/>
    public int this[int index] => _timesteps[index];

    /// <summary>Timesteps spaced evenly from T − 1 down to 0, both included, rounded to whole numbers; with one step, T − 1 alone.</summary>
    /// <param name="timesteps">T, the number of training timesteps.</param>
    /// <param name="steps">How many to visit, in [1, T]; T means all of them.</param>
    /// <returns>The grid.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More steps than timesteps, or none.</exception>
    public static TimestepGrid Evenly(int timesteps, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        if (steps < 1 || steps > timesteps)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The number of sampling steps must be in [1, {timesteps}], the number of training timesteps.");
        }

        return new TimestepGrid(Enumerable.Range(0, steps)
            .Select(i => steps == 1 ? timesteps - 1 : (int)Math.Round((timesteps - 1) * (1 - ((double)i / (steps - 1))), MidpointRounding.AwayFromZero)));
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_timesteps).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
