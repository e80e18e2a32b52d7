using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class PreviewImagesTests : IDisposable
{
    private static readonly TrainerOptions s_options = new() { Steps = 12, BatchSize = 3, LearningRate = 0.05 };

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Fit_WithPreviews_WritesThemAndTrainsTheSame()
    {
        var (bits, _) = Train("without", previews: false);
        var (watched, pictures) = Train("whole");
        Assert.Equal(bits, watched);
        Assert.Equal(
            ["step-00000005-raw.png", "step-00000005.png", "step-00000010-raw.png", "step-00000010.png", "step-00000012-raw.png", "step-00000012.png"],
            Directory.GetFiles(_folder.File("whole")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(["5 preview", "5 preview_raw", "10 preview", "10 preview_raw", "12 preview", "12 preview_raw"], pictures.Select(picture => $"{picture.Step} {picture.Name}"));
        Assert.All(pictures, picture => Assert.Equal(((2 * 4 * 2) + 6, (2 * 4 * 2) + 6, 1), (picture.Width, picture.Height, picture.Channels))); // 4 images in 2 columns, twice as large, 2 between
        Assert.Equal(File.ReadAllBytes(_folder.File("whole/step-00000010.png")), pictures[2].Png.ToArray());
        Assert.NotEqual(pictures[0].Png.ToArray(), pictures[1].Png.ToArray()); // averaged and not
        Assert.NotEqual(pictures[0].Png.ToArray(), pictures[2].Png.ToArray()); // it learns
    }

    [Fact]
    public void Fit_StoppedAndResumed_DrawsTheSamePictures()
    {
        Train("whole");
        Train("parts", stopAfter: 7);
        Train("parts");
        foreach (var file in Directory.GetFiles(_folder.File("whole")))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_folder.File($"parts/{Path.GetFileName(file)}")));
        }
    }

    [Fact]
    public void OnStep_ClassConditionalNetwork_DrawsAllClassesInTurn()
    {
        using var images = new NoiseImages();
        using var trainer = new Trainer(new GreyNetwork(), NoiseSchedule.Linear(), s_options with { Steps = 1, LearningRate = 1e-9 }, Parameterization.Image, nullCondition: Condition.OfLabels(3));
        trainer.Observers.Add(new PreviewImages(_folder.File("labels"), new DdimSampler(2), new PreviewOptions { Count = 5, Scale = 1 }));
        trainer.Observers.Add(new PreviewImages(_folder.File("guided"), new DdimSampler(2), new PreviewOptions { Count = 3, Scale = 1, Raw = false, Guidance = 2 }));
        trainer.Observers.Add(new PreviewImages(_folder.File("above"), new DdimSampler(2), new PreviewOptions { Count = 3, Scale = 1, Raw = false, Guidance = 2, GuidanceSigmaMin = 1e6 }));
        trainer.Observers.Add(new PreviewImages(_folder.File("below"), new DdimSampler(2), new PreviewOptions { Count = 3, Scale = 1, Raw = false, Guidance = 2, GuidanceSigmaMax = 1e-6 }));
        trainer.Fit(images);

        Assert.All(["above", "below"], folder => Assert.Equal([0, 128, 255], Centres(ImageFile.Load(_folder.File($"{folder}/step-00000001.png"))))); // no level is in the interval
        var picture = ImageFile.Load(_folder.File("labels/step-00000001.png"));
        Assert.Equal(((3 * 6) + 2, (2 * 6) + 2), (picture.Width, picture.Height)); // one column a label
        Assert.Equal([0, 128, 255, 0, 128, 0], Centres(picture)); // the last cell is empty
        var guided = ImageFile.Load(_folder.File("guided/step-00000001.png"));
        Assert.Equal([0, 64, 255], Centres(guided)); // 2·grey − 0.5, clipped
        Assert.False(File.Exists(_folder.File("guided/step-00000001-raw.png")));
    }

    [Fact]
    public void OnStart_LatentsOfFourChannels_AreRefusedBeforeTheFirstStep()
    {
        using var images = new NumberedImages(new ImageShape(4, 4, 4));
        using var trainer = new Trainer(new ScaleNetwork(), NoiseSchedule.Linear(), s_options);
        trainer.Observers.Add(new PreviewImages(_folder.File("previews"), new DdimSampler(2)));
        Assert.Contains("those of 'numbered' have 4", Assert.Throws<InvalidOperationException>(() => trainer.Fit(images)).Message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.StepsDone);
    }

    [Fact]
    public void OnStep_NetworkThatDiverged_DrawsGrey()
    {
        using var images = new NoiseImages();
        using var network = new ScaleNetwork();
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), s_options with { Steps = 1 });
        using (no_grad())
        {
            network.parameters().Single().fill_(float.NaN);
        }

        var previews = new PreviewImages(_folder.Path, new DdimSampler(2), new PreviewOptions { Count = 1, Scale = 1, Raw = false });
        previews.OnStart(trainer, images);
        previews.OnStep(trainer, new TrainingStep(1, double.NaN, 3, 1, default));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void OnStep_ManyPreviews_LeaveNoTensors()
    {
        using var images = new NoiseImages();
        using var trainer = new Trainer(new GreyNetwork(), NoiseSchedule.Linear(), s_options with { Steps = 1 }, nullCondition: Condition.OfLabels(3));
        var previews = new PreviewImages(_folder.Path, new DdimSampler(2), new PreviewOptions { Count = 2, Guidance = 2 });
        previews.OnStart(trainer, images);
        Leaks.AssertNone(() =>
        {
            previews.OnStep(trainer, new TrainingStep(1, 1, 3, 1, default));
            trainer.ParameterNorm();
        });
    }

    [Fact]
    public void OnStart_GuidanceAndImagesWithoutLabels_IsRefused()
    {
        using var images = new NoiseImages { Classes = 0 };
        using var trainer = new Trainer(new GreyNetwork(), NoiseSchedule.Linear(), s_options, nullCondition: Condition.OfLabels(3));
        trainer.Observers.Add(new PreviewImages(_folder.Path, new DdimSampler(2), new PreviewOptions { Guidance = 2 }));
        Assert.Contains("Guidance is 2", Assert.Throws<InvalidOperationException>(() => trainer.Fit(images)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OnStart_ConditionOrNullConditionMissing_IsRefusedBeforeTheFirstStep()
    {
        using var images = new NoiseImages();
        using var unguidable = new Trainer(new GreyNetwork(), new LinearNoiseSchedule(), s_options);
        unguidable.Observers.Add(new PreviewImages(_folder.Path, new DdimSampler(2), new PreviewOptions { Guidance = 2 }));
        Assert.Contains("null condition; Guidance is 2", Assert.Throws<InvalidOperationException>(() => unguidable.Fit(images)).Message, StringComparison.Ordinal);

        using var unlabelled = new NoiseImages { Classes = 0 };
        using var conditional = new Trainer(new GreyNetwork(), new LinearNoiseSchedule(), s_options);
        conditional.Observers.Add(new PreviewImages(_folder.Path, new DdimSampler(2)));
        Assert.Contains("set Condition", Assert.Throws<InvalidOperationException>(() => conditional.Fit(unlabelled)).Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (unguidable.StepsDone, conditional.StepsDone));
    }

    [Fact]
    public void OnStep_Condition_IsThatOfAllImages()
    {
        using var images = new NoiseImages();
        using var trainer = new Trainer(new GreyNetwork(), new LinearNoiseSchedule(), s_options with { Steps = 1, LearningRate = 1e-9 }, Parameterization.Image, nullCondition: Condition.OfLabels(3));
        trainer.Observers.Add(new PreviewImages(_folder.Path, new DdimSampler(2), new PreviewOptions { Count = 2, Scale = 1, Raw = false, Columns = 2, Condition = Condition.OfLabels(2) }));
        trainer.Fit(images);
        Assert.Equal([255, 255], Centres(ImageFile.Load(_folder.File("step-00000001.png"))));
    }

    [Fact]
    public void Options_Mistakes_AreAllListed()
    {
        var message = Assert.Throws<ArgumentException>(() => new PreviewImages(_folder.Path, new DdimSampler(2), new PreviewOptions { Every = 0, Count = 0, Scale = -1, Columns = 0 })).Message;
        Assert.All(["Every", "Count", "Scale", "Columns"], name => Assert.Contains(name, message, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private (string Bits, List<TrainingPicture> Pictures) Train(string name, int? stopAfter = null, bool previews = true)
    {
        using var images = new NoiseImages { Classes = 0 };
        using var network = new ScaleNetwork();
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), s_options with { Checkpoints = new CheckpointOptions { Folder = _folder.File($"{name}-checkpoints") } });
        trainer.Resume(_folder.File($"{name}-checkpoints"));
        var pictures = new Pictures();
        if (previews)
        {
            trainer.Observers.Add(new PreviewImages(_folder.File(name), new DdimSampler(4), new PreviewOptions { Every = 5, Count = 4 }));
            trainer.Observers.Add(pictures);
        }

        trainer.Fit(images, stopAfter: stopAfter);
        return (string.Join(' ', network.parameters().SelectMany(parameter => parameter.data<float>().ToArray()).Select(BitConverter.SingleToUInt32Bits)), pictures.All);
    }

    /// <summary>The middle pixel of each cell of a grid of 4×4 images with 2 between.</summary>
    private static IEnumerable<int> Centres(PixelImage grid) =>
        from y in Enumerable.Range(0, grid.Height / 6) from x in Enumerable.Range(0, grid.Width / 6) select (int)grid.Pixels[((((y * 6) + 4) * grid.Width) + (x * 6) + 4) * grid.Channels];

    private sealed class Pictures : TrainingObserver
    {
        public List<TrainingPicture> All { get; } = [];

        public override void OnPicture(Trainer trainer, TrainingPicture picture) => All.Add(picture);
    }
}
