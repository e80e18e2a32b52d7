namespace Diffusion.Sample.Tests;

/// <summary>A run that is killed without warning, again and again, ends with the bits of one that was not.</summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const string CountVariable = "DIFFUSION_KILLS"; // the long form: DIFFUSION_KILLS=200

    private readonly SampleProcess _app = new();

    [Fact]
    public async Task Train_KilledAtRandomMoments_EndsWithTheSameBits()
    {
        var kills = int.TryParse(Environment.GetEnvironmentVariable(CountVariable), out var count) ? count : 20;
        var config = _app.Configure($"\"steps\": {15 * kills}", every: 3, watch: "\"validateEvery\": 4, \"validationImages\": 8, \"previewEvery\": 50, \"previewImages\": 1");
        Done(_app.Run("train", "--config", config, "--out", "whole"));

        var random = new Random(1);
        var (killed, events) = (0, 0);
        Directory.CreateDirectory(_app.At("parts/checkpoints"));
        for (var i = 0; i < kills; i++)
        {
            using var watcher = new FileSystemWatcher(_app.At("parts/checkpoints")) { IncludeSubdirectories = true, EnableRaisingEvents = true };
            using var process = _app.Start("train", "--config", config, "--out", "parts", "--resume");
            var error = process.StandardError.ReadToEndAsync();
            _ = process.StandardOutput.ReadToEndAsync();
            // A random number of changes to the files of checkpoints later: while one is written, renamed or deleted, or between them.
            for (var left = random.Next(1, 40); left > 0 && !process.HasExited; left--)
            {
                watcher.WaitForChanged(WatcherChangeTypes.All, 1000);
                events++;
            }

            killed += process.HasExited ? 0 : 1;
            process.Kill();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode is 0 or 137, await error);
        }

        Done(_app.Run("train", "--config", config, "--out", "parts", "--resume"));
        output.WriteLine($"{killed} of {kills} processes killed, after {events} changes of files, in a run of {15 * kills} steps");
        Assert.True(killed >= kills / 2, $"only {killed} of {kills} processes were still running when they were to be killed");
        foreach (var file in new[] { "model.safetensors", "ema.safetensors", "losses.csv", "measurements.csv", "digits.png", $"previews/step-{15 * kills:D8}.png" })
        {
            Assert.True(File.ReadAllBytes(_app.At($"whole/{file}")).SequenceEqual(File.ReadAllBytes(_app.At($"parts/{file}"))), file);
        }
    }

    public void Dispose() => _app.Dispose();

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);
}
