using Diffusion.Configuration;

namespace Diffusion.Sample.Tests;

/// <summary>Runs that begin with the weights of others: what they leave alone, and which schedules are the same.</summary>
public sealed class BeginningCommandTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Train_FromIntoAFolderOfARun_LeavesItAlone()
    {
        var config = _app.Configure("\"steps\": 3", every: 2);
        Done("train", "--config", config, "--out", "first");
        Done("train", "--config", config, "--out", "stopped", "--stop-after", "2");
        var before = Files();
        Wrong(["train", "--config", config, "--from", "stopped", "--out", "first"], "first holds a run already");
        Wrong(["train", "--from", "first", "--out", "first", "--stop-after", "1"], "is or contains 'first'");
        Wrong(["train", "--from", "stopped/checkpoints/step-00000002", "--out", "stopped"], "is or contains 'stopped/checkpoints/step-00000002'");
        Assert.Equal(before, Files());
        if (!OperatingSystem.IsWindows()) // links need a right there
        {
            Directory.CreateSymbolicLink(_app.At("link"), _app.At("."));
            Wrong(["train", "--from", "first/ema.safetensors", "--out", "link/first"], "is or contains 'first/ema.safetensors'");
        }
    }

    /// <summary>The configuration alone does not say that a run began with other weights.</summary>
    [Fact]
    public void Train_IntoARunThatBeganWithOtherWeights_LeavesItAlone()
    {
        var config = _app.Configure("\"steps\": 2");
        Done("train", "--config", config, "--out", "first");
        Done("train", "--config", config, "--from", "first", "--out", "second", "--stop-after", "1");
        Done("train", "--resume", "--out", "second");
        var before = Files();
        Wrong(["train", "--config", config, "--out", "second"], "began with the weights of", "first");
        Assert.Equal(before, Files());
    }

    /// <summary>Where it ends before the first step, --resume goes on from the given weights.</summary>
    [Fact]
    public void Train_FromEndedBeforeTheFirstStep_IsResumed()
    {
        var config = _app.Configure("\"steps\": 2", watch: "\"evaluateEvery\": 2, \"evaluationImages\": 4, \"evaluationSteps\": 2");
        Done("train", "--config", config, "--out", "first");
        Directory.CreateDirectory(_app.At("second"));
        File.WriteAllText(_app.At("second/best"), "in the way of the folder");
        var failed = _app.Run("train", "--config", config, "--from", "first", "--out", "second");
        Assert.True(failed.ExitCode == 1 && failed.Error.Contains("'" + _app.At("second/best") + "' is a file", StringComparison.Ordinal), failed.Error + failed.Output);
        File.Delete(_app.At("second/best"));
        Done("train", "--resume", "--out", "second");
        Assert.True(File.Exists(_app.At("second/model.safetensors")));
    }

    [Fact]
    public void Train_FromAScheduleOfAnotherName_ComparesItsLevels()
    {
        Done("train", "--config", _app.Configure("\"steps\": 1"), "--out", "first");
        string Configure(string diffusion) => _app.Configure("\"steps\": 1", $$"""{{SampleProcess.Model}}, "diffusion": { {{diffusion}} }""");
        Done("train", "--from", "first", "--out", "same", "--config", Configure(""" "schedule": "Linear", "betaStart": 0.0001, "betaEnd": 0.02, "prediction": "Epsilon" """));
        foreach (var other in new[] { """ "schedule": "linear", "betaStart": 0.0001, "betaEnd": 0.03 """, """ "timesteps": 999 """, """ "prediction": "image" """ })
        {
            Wrong(["train", "--from", "first", "--out", "other", "--config", Configure(other)], "was trained with schedule linear, 1000 timesteps, predicting epsilon");
        }
    }

    [Fact]
    public void Train_Prediction_IsTheRuns()
    {
        Done("train", "--config", _app.Configure("\"steps\": 1"), "--prediction", "Image", "--out", "first");
        Assert.Equal("image", RunConfiguration.Load(_app.At("first/config.json")).Diffusion.Prediction);
        Wrong(["train", "--from", "first", "--prediction", "velocity", "--out", "second"], "predicting image", "predicting velocity");
        Done("train", "--from", "first", "--schedule", "cosine", "--prediction", "velocity", "--out", "second");
        Assert.Equal(("cosine", "velocity"), (RunConfiguration.Load(_app.At("second/config.json")).Diffusion.Schedule, RunConfiguration.Load(_app.At("second/config.json")).Diffusion.Prediction));
        Wrong(["train", "--prediction", "nonsense", "--out", "third"], "--prediction must be one of epsilon");
    }

    public void Dispose() => _app.Dispose();

    /// <summary>Every file and when it was written.</summary>
    private string[] Files() => [.. Directory.EnumerateFiles(_app.At("."), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => $"{file} {File.GetLastWriteTimeUtc(file):O}")];

    private void Done(params string[] arguments)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
    }

    private void Wrong(string[] arguments, params string[] texts)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.All(texts, text => Assert.Contains(text, run.Error, StringComparison.Ordinal));
    }
}
