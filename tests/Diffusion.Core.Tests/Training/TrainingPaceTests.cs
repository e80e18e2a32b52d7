namespace Diffusion.Tests;

public sealed class TrainingPaceTests
{
    [Fact]
    public void Left_HalfOfTheRestDone_IsAsMuchAgain()
    {
        var clock = new ManualClock();
        var pace = new TrainingPace(100, clock);
        Assert.Equal((0, null), (pace.ImagesPerSecond, pace.Left));
        for (var step = 51; step <= 75; step++) // a resumed run
        {
            clock.Advance(2);
            pace.Add(new TrainingStep(step, 1, 8, 1, default));
        }

        Assert.Equal(4, pace.ImagesPerSecond, 1e-9);
        Assert.Equal(TimeSpan.FromSeconds(50), pace.Left);
        Assert.Equal(TimeSpan.FromSeconds(50), pace.Elapsed);
    }

    [Fact]
    public void StepLog_EveryTenSteps_SaysLossSpeedAndTimeLeft()
    {
        var (log, clock) = (new ListLogger(), new ManualClock());
        TinyRun.Train([new StepLog(log, 10, clock), new Recorder { Then = (_, _) => clock.Advance(60) }]);
        Assert.Equal(3, log.Lines.Count(line => line.StartsWith("Information: Step ", StringComparison.Ordinal)));
        Assert.Matches(@"^Information: Step 20 of 30: loss \d\.\d{4}, 0 images/s, 00:09:30 left$", log.Lines[1]); // 19 minutes for 20 steps
    }
}
