namespace Diffusion.Observers.Tests;

public sealed class ValidationLossTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _heldOut = new(20);

    [Fact]
    public void Fit_StoppedAndResumed_MeasuresTheSame()
    {
        var whole = new ValidationLoss(_heldOut, 7, 12);
        var undisturbed = TinyRun.Train([]);
        var watched = TinyRun.Train([new MeasurementLog(_folder.File("whole.csv")), whole]);
        Assert.Equal([7, 14, 21, 28, 30], whole.Results.Select(result => result.Step));
        Assert.Equal(undisturbed, watched); // evaluating changes nothing in training

        TinyRun.Train([new MeasurementLog(_folder.File("parts.csv")), new ValidationLoss(_heldOut, 7, 12)], _folder.File("parts"), stopAfter: 15);
        File.AppendAllText(_folder.File("parts.csv"), "21,validation_loss,9\n28,valid");
        TinyRun.Train([new MeasurementLog(_folder.File("parts.csv")), new ValidationLoss(_heldOut, 7, 12)], _folder.File("parts"));
        Assert.Equal(File.ReadAllText(_folder.File("whole.csv")), File.ReadAllText(_folder.File("parts.csv")));
        Assert.Equal(
            whole.Results.SelectMany(result => new TrainingMeasurement[] { new(result.Step, "validation_loss", result.Averaged), new(result.Step, "validation_loss_raw", result.Raw) }),
            MeasurementLog.Read(_folder.File("whole.csv")));
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

    public void Dispose()
    {
        _heldOut.Dispose();
        _folder.Dispose();
    }
}
