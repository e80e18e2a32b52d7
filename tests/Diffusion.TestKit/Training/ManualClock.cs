namespace Diffusion;

/// <summary>A clock that goes on when it is told to.</summary>
public sealed class ManualClock : TimeProvider
{
    private TimeSpan _elapsed;

    public static DateTimeOffset Start { get; } = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(double seconds) => _elapsed += TimeSpan.FromSeconds(seconds);

    public override long GetTimestamp() => _elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => Start + _elapsed;
}
