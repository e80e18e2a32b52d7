namespace Diffusion.Observers;

/// <summary>Running means of the loss over the last steps, of all images and by quarter of the timesteps (<see cref="TimestepQuartiles"/>). Skipped steps do not count.</summary>
public sealed class LossWindow
{
    private readonly TimestepQuartiles _quartiles;
    private readonly int _steps;
    private readonly Queue<(double Loss, double[] Sums, int[] Counts)> _window = new();

    /// <summary>Makes an empty window.</summary>
    /// <param name="schedule">The schedule of the run.</param>
    /// <param name="steps">The number of steps that are kept, at least 1; 100 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is less than 1.</exception>
    public LossWindow(INoiseSchedule schedule, int steps = 100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        (_quartiles, _steps) = (new TimestepQuartiles(schedule), steps);
    }

    /// <summary>The mean of the losses; <see langword="null"/> where there are none yet.</summary>
    public double? Loss => _window.Count == 0 ? null : _window.Average(step => step.Loss);

    /// <summary>The mean loss of the images of each quarter, from the least noise to the most; <see langword="null"/> where there were none.</summary>
    public IReadOnlyList<double?> Quartiles =>
        [.. Enumerable.Range(0, TimestepQuartiles.Count).Select(i => _window.Sum(step => step.Counts[i]) is var count and > 0 ? _window.Sum(step => step.Sums[i]) / count : (double?)null)];

    /// <summary>Takes in a step; the oldest one leaves a full window.</summary>
    /// <param name="step">The step.</param>
    public void Add(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (step.Skipped || !double.IsFinite(step.Loss))
        {
            return;
        }

        var (sums, counts) = _quartiles.Sums(step);
        _window.Enqueue((step.Loss, sums, counts));
        if (_window.Count > _steps)
        {
            _window.Dequeue();
        }
    }

    /// <summary>Forgets all steps.</summary>
    public void Clear() => _window.Clear();
}
