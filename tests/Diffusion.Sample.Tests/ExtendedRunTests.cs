namespace Diffusion.Sample.Tests;

/// <summary>A run that was complete and goes on for more steps.</summary>
public sealed class ExtendedRunTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Train_LongerRunStoppedAndStartedWithoutResume_KeepsItsCheckpoints()
    {
        var config = _app.Configure("\"steps\": 3", every: 3);
        Assert.Equal(0, _app.Run("train", "--config", config, "--out", "run").ExitCode);
        Assert.Equal(0, _app.Run("train", "--config", config, "--steps", "9", "--out", "run", "--resume", "--stop-after", "3").ExitCode);

        var (exitCode, _, error) = _app.Run("train", "--config", config, "--steps", "9", "--out", "run");
        Assert.Equal(2, exitCode);
        Assert.Contains("holds a run at step 6. Add --resume", error, StringComparison.Ordinal);
        Assert.Equal(6, Checkpoint.Newest(_app.At("run/checkpoints"))!.Step);
    }

    public void Dispose() => _app.Dispose();
}
