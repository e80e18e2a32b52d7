namespace Diffusion;

/// <summary>How fast a run goes and how long it still takes, measured from when this is made: previews, evaluations and checkpoints between the steps count.</summary>
internal sealed class TrainingPace
{
    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly int _total;
    private int _last;
    private int _steps;
    private long _images;

    /// <summary>Starts the clock.</summary>
    /// <param name="totalSteps">The steps of the whole run, at least 1.</param>
    /// <param name="clock">The clock; that of the system by default.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="totalSteps"/> is less than 1.</exception>
    public TrainingPace(int totalSteps, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(totalSteps, 1);
        (_total, _clock) = (totalSteps, clock ?? TimeProvider.System);
        _start = _clock.GetTimestamp();
    }

    /// <summary>The time since the start.</summary>
    public TimeSpan Elapsed => _clock.GetElapsedTime(_start);

    /// <summary>Images a second since the start; 0 before the first step.</summary>
    public double ImagesPerSecond => _images == 0 ? 0 : _images / Math.Max(Elapsed.TotalSeconds, 1e-9);

    /// <summary>The time that the rest of the run takes at this pace; <see langword="null"/> before the first step.</summary>
    public TimeSpan? Left => _steps == 0 ? null : Elapsed / _steps * Math.Max(0, _total - _last);

    /// <summary>Takes in a step that was just done.</summary>
    /// <param name="step">The step.</param>
    public void Add(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _steps++;
        _images += step.Images;
        _last = step.Number;
    }
}
