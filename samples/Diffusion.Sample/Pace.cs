using System.Diagnostics;

namespace Diffusion.Sample;

/// <summary>How fast a run goes and how long it still takes, previews and checkpoints between the steps included.</summary>
/// <param name="steps">The steps of the whole run.</param>
internal sealed class Pace(int steps)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private int _done;
    private int _last;
    private long _images;

    public double ImagesPerSecond => _images / Math.Max(Stopwatch.GetElapsedTime(_start).TotalSeconds, 1e-9);

    public TimeSpan Left => Stopwatch.GetElapsedTime(_start) / Math.Max(_done, 1) * Math.Max(0, steps - _last);

    public void Add(TrainingStep step)
    {
        _done++;
        _images += step.Images;
        _last = step.Number;
    }
}
