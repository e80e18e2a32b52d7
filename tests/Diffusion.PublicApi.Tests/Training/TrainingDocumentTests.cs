using Diffusion.Observers;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The examples of docs/training.md, used with the trainer.</summary>
public sealed class TrainingDocumentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Document_EveryExample_IsTheCompiledFile()
    {
        var repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
        var document = File.ReadAllText(Path.Combine(repository, "docs", "training.md")).ReplaceLineEndings("\n");
        foreach (var name in new[] { nameof(BestWeights), nameof(TensorImages) })
        {
            var code = File.ReadAllText(Path.Combine(repository, "tests", "Diffusion.PublicApi.Tests", "Training", $"{name}.cs")).ReplaceLineEndings("\n");
            Assert.Contains(code[code.IndexOf("/// <summary>", StringComparison.Ordinal)..].Trim(), document, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(typeof(TrainerOptions))]
    [InlineData(typeof(OptimizerOptions))]
    [InlineData(typeof(LearningRateOptions))]
    [InlineData(typeof(EmaOptions))]
    [InlineData(typeof(CheckpointOptions))]
    public void Document_EveryOption_IsInItsTable(Type options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var document = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!, "docs", "training.md"));
        Assert.All(options.GetProperties(), property => Assert.Contains($"| `{property.Name}` |", document, StringComparison.Ordinal));
    }

    [Fact]
    public void Document_EveryObserver_IsInItsTable()
    {
        var document = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!, "docs", "training.md"));
        var observers = new[] { typeof(Trainer).Assembly, typeof(CsvLog).Assembly, typeof(Imaging.PreviewImages).Assembly, typeof(Evaluation.FrechetDistanceObserver).Assembly }.SelectMany(library => library.GetExportedTypes()).Where(type => type.BaseType == typeof(TrainingObserver)).ToList();
        Assert.True(observers.Count >= 9);
        Assert.All(observers, observer => Assert.Contains($"| `{observer.Name}` |", document, StringComparison.Ordinal));
    }

    [Fact]
    public void Fit_ObserverAndSourceFromOutside_KeepTheBestWeights()
    {
        using var network = new Bias();
        using var images = new TensorImages(full([20, 1, 2, 2], 0.5f));
        using var heldOut = new TensorImages(full([8, 1, 2, 2], 0.5f));
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), new TrainerOptions { Steps = 40, BatchSize = 4, LearningRate = 0.5 }, Parameterization.Image);
        var (validation, best) = (new ValidationLoss(heldOut, 4), new BestWeights(_folder.File("best")));
        trainer.Observers.Add(validation);
        trainer.Observers.Add(best);
        trainer.Fit(images);

        Assert.Equal(validation.Results.Min(result => result.Averaged), best.Best!.Value);
        using var weights = Safetensors.Load(_folder.File("best/ema.safetensors"));
        Assert.Equal(best.Best.Value, Math.Pow(weights["value"].item<float>() - 0.5, 2), 1e-6); // the loss of a network that always says the same
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The same grey for every image.</summary>
    private sealed class Bias : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "value")]
        private readonly Parameter _value = new(zeros(1));

        public Bias()
            : base(nameof(Bias)) => RegisterComponents();

        public override Tensor forward(Tensor images, Tensor timesteps) => _value.expand(images.shape);
    }
}
