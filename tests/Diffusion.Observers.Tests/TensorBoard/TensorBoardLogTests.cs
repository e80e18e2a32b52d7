namespace Diffusion.Observers.Tests;

public sealed class TensorBoardLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The check value of CRC-32C: 0xe3069283 for "123456789" (RFC 3720, appendix B.4, has others of the same code).</summary>
    [Fact]
    public void Masked_CheckValueOfTheCode_IsThatOfTheReader()
    {
        const uint crc = 0xe3069283;
        Assert.Equal(unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u), EventReader.Masked("123456789"u8.ToArray()));
    }

    [Fact]
    public void Fit_AWholeRun_HasItsNumbersEveryTenSteps()
    {
        var (recorder, clock) = (new Recorder(), new ManualClock());
        var norm = 0.0;
        var last = new Recorder { Then = (trainer, step) => norm = step.Number == 20 ? trainer.ParameterNorm() : norm };
        using var log = new TensorBoardLog(_folder.File("events"), 10, clock);
        TinyRun.Train([log, recorder, last]);
        var file = Assert.Single(Directory.GetFiles(_folder.File("events")));
        Assert.StartsWith($"events.out.tfevents.{ManualClock.Start.ToUnixTimeSeconds()}.", Path.GetFileName(file), StringComparison.Ordinal);
        var events = EventReader.Read(file);
        Assert.Equal("brain.Event:2", events[0].Version);
        Assert.All(events, each => Assert.Equal(ManualClock.Start.ToUnixTimeSeconds(), each.Time, 1e-6));

        var numbers = events.Where(each => each.Scalars.Count > 0).ToList();
        Assert.Equal([10, 20, 30], numbers.Select(each => each.Step));
        var twenty = numbers[1].Scalars;
        var steps = recorder.Steps[10..20];
        Assert.Equal((float)steps.Average(step => step.Loss), twenty["loss"]);
        Assert.Equal((float)steps[^1].GradientNorm, twenty["gradient_norm"]);
        Assert.Equal((float)steps[^1].LearningRate, twenty["learning_rate"]);
        Assert.Equal((float)norm, twenty["parameter_norm"]);
        Assert.Equal(40 / steps.Sum(step => step.Duration.TotalSeconds), twenty["images_per_second"], 1.0);
        var third = steps.SelectMany(step => step.ImageLosses.Zip(step.Levels)).Where(image => image.Second.Timestep is >= 500 and < 750).Average(image => image.First);
        Assert.Equal((float)third, twenty["loss_q3"], 1e-5f);
        Assert.Equal(4, twenty.Keys.Count(name => name.StartsWith("loss_q", StringComparison.Ordinal)));
    }

    [Fact]
    public void Fit_Resumed_BeginsAFileThatSaysFromWhichStepItCounts()
    {
        foreach (var stop in new int?[] { 13, null })
        {
            using var log = new TensorBoardLog(_folder.File("events"), 10, new ManualClock());
            TinyRun.Train([log], _folder.File("checkpoints"), stop);
        }

        var files = Directory.GetFiles(_folder.File("events")).Order(StringComparer.Ordinal).Select(EventReader.Read).ToList();
        Assert.Equal(2, files.Count);
        Assert.All(files, events => Assert.Equal(1, events[1].Session));
        Assert.Equal([1, 14], files.Select(events => events[1].Step));
        Assert.Equal([20, 30], files[1].Where(each => each.Scalars.Count > 0).Select(each => each.Step));
    }

    [Fact]
    public void Report_MeasurementsAndPictures_AreInTheFile()
    {
        using var heldOut = new MemoryImages(8);
        var picture = new TrainingPicture(0, "preview", Png.Of(3, 2));
        var validation = new ValidationLoss(heldOut, 30, 8);
        using var log = new TensorBoardLog(_folder.File("events"), 100);
        TinyRun.Train([log, validation, new Recorder { Then = (trainer, step) => { if (step.Number == 15) { trainer.Report(new TrainingPicture(step.Number, picture.Name, picture.Png)); } } }]);
        var events = EventReader.Read(Directory.GetFiles(_folder.File("events")).Single());
        Assert.Equal((float)validation.Results.Single().Averaged, events.Single(each => each.Scalars.ContainsKey("validation_loss")).Scalars["validation_loss"]);
        var shown = events.Single(each => each.Images.Count > 0);
        Assert.Equal(15, shown.Step);
        Assert.Equal((2L, 3L, 1L), (shown.Images["preview"].Height, shown.Images["preview"].Width, shown.Images["preview"].Colors));
        Assert.Equal(picture.Png.ToArray(), shown.Images["preview"].File);
    }

    public void Dispose() => _folder.Dispose();
}
