using System.Diagnostics;
using System.Globalization;

namespace Diffusion.Sample.Tests;

/// <summary>A disk that is full: the operating system refuses files beyond a size.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Train_DiskFull_SaysSoKeepsTheLastCheckpointAndGoesOnLater()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no limit on the size of files");
        }

        var config = _app.Configure("\"steps\": 12", every: 3);
        Done(_app.Run("train", "--config", config, "--out", "whole"));
        Done(_app.Run("train", "--config", config, "--out", "parts", "--stop-after", "3"));
        var largest = new FileInfo(_app.At("parts/checkpoints/step-00000003/optimizer.safetensors")).Length;

        var (exitCode, output, error) = RunWithFilesOf((largest / 1024) - 1, "train", "--config", config, "--out", "parts", "--resume");
        Assert.True(exitCode == 1, $"{exitCode}: {output}{error}");
        Assert.Contains("The checkpoint of step 6 cannot be written", error, StringComparison.Ordinal);
        Assert.Contains("step-00000003 is there still", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.Equal(3, Checkpoint.Newest(_app.At("parts/checkpoints"))!.Step);

        Done(_app.Run("train", "--config", config, "--out", "parts", "--resume"));
        foreach (var file in new[] { "model.safetensors", "ema.safetensors", "losses.csv", "digits.png" })
        {
            Assert.True(File.ReadAllBytes(_app.At($"whole/{file}")).SequenceEqual(File.ReadAllBytes(_app.At($"parts/{file}"))), file);
        }
    }

    public void Dispose() => _app.Dispose();

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);

    private (int ExitCode, string Output, string Error) RunWithFilesOf(long kibibytes, params string[] arguments)
    {
        // The signal that goes with the limit is ignored, so that writing fails as on a full disk.
        var script = string.Create(CultureInfo.InvariantCulture, $"trap '' XFSZ; ulimit -f {kibibytes}; exec dotnet \"$@\"");
        var start = new ProcessStartInfo("bash", ["-c", script, "bash", Path.Combine(AppContext.BaseDirectory, "Diffusion.Sample.dll"), .. arguments])
        {
            WorkingDirectory = _app.At("."), RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0"; // or the runtime keeps its code in a file, too
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
