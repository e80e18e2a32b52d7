namespace Diffusion.Sample.Tests;

/// <summary>A second process that would train into the folder of one that trains ends with who that is, and changes nothing.</summary>
public sealed class TwoProcessesTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Theory]
    [InlineData("--config", "run.json")] // before there is a checkpoint, this one's would be deleted
    [InlineData("--resume", "--steps", "9")]
    public async Task Train_IntoTheFolderOfAnother_IsRefused(params string[] arguments)
    {
        using var first = _app.Start("train", "--config", _app.Configure("\"steps\": 100000", every: 100000), "--out", "out");
        _ = first.StandardOutput.ReadToEndAsync();
        try
        {
            await _app.Until(first, () => File.Exists(_app.At("out/losses.csv")) && new FileInfo(_app.At("out/losses.csv")).Length > 100);
            var config = File.ReadAllText(_app.At("out/config.json"));

            var (exitCode, _, error) = _app.Run(["train", .. arguments, "--out", "out"]);

            Assert.False(first.HasExited);
            Assert.Equal(1, exitCode);
            Assert.Contains($"in use by process {first.Id} (dotnet) on {Environment.MachineName} since", error, StringComparison.Ordinal);
            Assert.Equal(config, File.ReadAllText(_app.At("out/config.json")));
        }
        finally
        {
            first.Kill();
            await first.WaitForExitAsync();
        }

        Assert.Equal([".lock", ".lock-owner"], Directory.GetFileSystemEntries(_app.At("out/checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var done = _app.Run("train", "--config", "run.json", "--stop-after", "1", "--out", "out"); // the system has released what a killed process held
        Assert.True(done.ExitCode == 0, done.Error + done.Output);
    }

    public void Dispose() => _app.Dispose();
}
