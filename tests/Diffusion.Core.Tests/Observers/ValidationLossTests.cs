namespace Diffusion.Tests;

public sealed class ValidationLossTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _heldOut = new(20);

    [Fact]
    public void Fit_StoppedAndResumed_MeasuresTheSame()
    {
        var whole = new ValidationLoss(_heldOut, 7, 12);
        var undisturbed = TinyRun.Train([]);
        var watched = TinyRun.Train([new MeasurementLog(_folder.At("whole.csv")), whole]);
        Assert.Equal([7, 14, 21, 28, 30], whole.Results.Select(result => result.Step));
        Assert.Equal(undisturbed, watched); // evaluating changes nothing in training

        TinyRun.Train([new MeasurementLog(_folder.At("parts.csv")), new ValidationLoss(_heldOut, 7, 12)], _folder.At("parts"), stopAfter: 15);
        File.AppendAllText(_folder.At("parts.csv"), "21,validation_loss,9\n28,valid");
        TinyRun.Train([new MeasurementLog(_folder.At("parts.csv")), new ValidationLoss(_heldOut, 7, 12)], _folder.At("parts"));
        Assert.Equal(File.ReadAllText(_folder.At("whole.csv")), File.ReadAllText(_folder.At("parts.csv")));
        Assert.Equal(
            whole.Results.SelectMany(result => new TrainingMeasurement[] { new(result.Step, "validation_loss", result.Averaged), new(result.Step, "validation_loss_raw", result.Raw) }),
            MeasurementLog.Read(_folder.At("whole.csv")));
    }

    [Fact]
    public void OnStep_AveragedAndRawWeights_AreBothEvaluated()
    {
        var validation = new ValidationLoss(_heldOut, 30, 12, seed: 5);
        var expected = (0.0, 0.0);
        TinyRun.Train([validation, new Recorder { Then = (trainer, _) => expected = (trainer.Evaluate(_heldOut, 12, averaged: true, 5), trainer.Evaluate(_heldOut, 12, averaged: false, 5)) }]);
        Assert.Equal(expected, (validation.Results.Single().Averaged, validation.Results.Single().Raw));
        Assert.NotEqual(validation.Results.Single().Averaged, validation.Results.Single().Raw);
    }

    [Fact]
    public void Report_ANumber_ReachesAllObserversWithItsStep()
    {
        var (before, after) = (new Recorder(), new Recorder());
        TinyRun.Train([before, new Recorder { Then = (trainer, step) => trainer.Report("half", step.Number / 2.0) }, after], stopAfter: 2);
        Assert.Equal([new TrainingMeasurement(1, "half", 0.5), new TrainingMeasurement(2, "half", 1)], before.Measurements);
        Assert.Equal(before.Measurements, after.Measurements);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a,b")]
    [InlineData("a\nb")]
    public void Report_NameThatIsNoField_IsRefused(string name)
    {
        using var trainer = new Trainer(new TinyNetwork(), TinyRun.Schedule);
        Assert.Throws<ArgumentException>(() => trainer.Report(name, 1));
    }

    [Fact]
    public void ParameterNorm_OfANetwork_IsThatOfAllItsNumbers()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, TinyRun.Schedule);
        var squares = network.parameters().SelectMany(parameter => parameter.Numbers()).Sum(number => number * number);
        Assert.Equal(Math.Sqrt(squares), trainer.ParameterNorm(), 1e-5);
    }

    public void Dispose()
    {
        _heldOut.Dispose();
        _folder.Dispose();
    }
}
