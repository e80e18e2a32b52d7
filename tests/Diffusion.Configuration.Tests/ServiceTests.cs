using Diffusion.Imaging;
using Diffusion.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using static TorchSharp.torch;

namespace Diffusion.Configuration.Tests;

/// <summary>A run out of a container.</summary>
public sealed class ServiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-").FullName;

    [Fact]
    public void AddDiffusion_TrainerResolved_TrainsLogsAndTellsTheObservers()
    {
        var (log, observer) = (new Log(), new Counter());
        var services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(log)
            .AddSingleton<TrainingObserver>(observer)
            .AddSingleton<IImageSource>(new TenImages())
            .AddDiffusion(Configuration(), checkpoints: _folder);
        using var provider = services.BuildServiceProvider();
        var trainer = provider.GetRequiredService<Trainer>();
        trainer.Fit(provider.GetRequiredService<IImageSource>());

        Assert.Equal(3, observer.Steps);
        Assert.Contains(log.Lines, line => line.StartsWith("Diffusion.Trainer: Step 3 of 3: loss ", StringComparison.Ordinal));
        Assert.Same(trainer, provider.GetRequiredService<Trainer>());
        var file = Path.Combine(Checkpoint.Newest(_folder)!.Folder, Checkpoint.EmaFile);
        using var weights = SafetensorsFile.Open(file);
        Assert.Equal(3, RunConfiguration.Parse(weights.Metadata[RunConfiguration.MetadataKey]).Training.Steps);
    }

    [Fact]
    public void AddDiffusion_NoLoggerAndNoFolder_MakesATrainerThatIsQuiet()
    {
        using var provider = new ServiceCollection().AddSingleton<IImageSource>(new TenImages()).AddDiffusion(Configuration()).BuildServiceProvider();
        var trainer = provider.GetRequiredService<Trainer>();
        Assert.Empty(trainer.Observers);
        Assert.Null(trainer.Options.Checkpoints.Folder);
    }

    [Fact]
    public void AddDiffusion_CalledTwice_IsRefused() =>
        Assert.Contains("one run", Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddDiffusion(Configuration()).AddDiffusion(Configuration())).Message, StringComparison.Ordinal);

    [Fact]
    public void AddDiffusion_NetworkOfOnesOwnOnAnotherDevice_IsRefused()
    {
        using var provider = new ServiceCollection().AddSingleton<IImageSource>(new TenImages())
            .AddSingleton(_ => RunConfiguration.Bind(Configuration()).CreateNetwork()).AddDiffusion(Configuration(), device: TorchSharp.torch.META).BuildServiceProvider();
        Assert.Contains("is on the device cpu, and AddDiffusion was given meta", Assert.Throws<InvalidOperationException>(provider.GetRequiredService<Trainer>).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddDiffusion_ValidationOfOnesOwn_IsAsked()
    {
        var services = new ServiceCollection().AddDiffusion(Configuration());
        services.AddOptions<RunOptions>().Validate(run => run.Training.Steps > 1_000_000, "too short");
        using var provider = services.BuildServiceProvider();
        Assert.Contains("too short", Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<RunOptions>>().Value).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddDiffusion_FolderWithOtherFiles_LogsWhatIsLeftOut()
    {
        ImageFile.Save(Path.Combine(_folder, "a.png"), new PixelImage(8, 8, 1, new byte[64]));
        File.WriteAllText(Path.Combine(_folder, "b.heic"), "");
        File.WriteAllText(Path.Combine(_folder, "Thumbs.db"), "");
        var log = new Log();
        foreach (var more in new (string, string)[][] { [("data:augmentation:horizontalFlip", "true")], [("data:kind", "textures"), ("data:textures:smallestCrop", "2"), ("data:textures:largestCrop", "4")] })
        {
            log.Lines.Clear();
            using var provider = new ServiceCollection().AddSingleton<ILoggerFactory>(log).AddDiffusion(Configuration([("data:path", _folder), .. more])).BuildServiceProvider();
            var images = provider.GetRequiredService<IImageSource>();
            Assert.Equal($"Diffusion.IImageSource: Left out of {images.Name}: 1 .heic, 1 files Thumbs.db", Assert.Single(log.Lines));
        }
    }

    [Fact]
    public void CreateTrainer_WithoutAContainer_IsTheSameRun()
    {
        using var images = new TenImages();
        using var provider = new ServiceCollection().AddSingleton<IImageSource>(images).AddDiffusion(Configuration()).BuildServiceProvider();
        var run = provider.GetRequiredService<IOptions<RunOptions>>().Value;
        using var network = run.CreateNetwork();
        using var trainer = run.CreateTrainer(network, images);
        Assert.Equal(provider.GetRequiredService<Trainer>().Steps(images).Select(step => step.Loss), trainer.Steps(images).Select(step => step.Loss));
    }

    [Fact]
    public void CreateTrainer_LabelsWithoutClasses_SaysThatThereAreNone()
    {
        using var images = new TenImages();
        var run = RunConfiguration.Bind(Configuration(("model:dialect:labels:classes", "4")));
        using var network = run.CreateNetwork();
        Assert.Contains("model.dialect.labels must be absent, for 'ten' has no classes", Assert.Throws<OptionsValidationException>(() => run.CreateTrainer(network, images)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] more)
    {
        (string Key, string Value)[] entries =
        [
            ("data:path", "memory"), ("data:kind", "folder"), ("data:size", "8"), ("model:stemChannels", "8"), ("model:timeDimension", "16"), ("model:down:0:channels", "8"), ("model:down:0:layers", "1"),
            ("training:steps", "3"), ("training:batchSize", "2"), .. more,
        ];
        return new ConfigurationBuilder().AddInMemoryCollection(entries.Select(entry => KeyValuePair.Create(entry.Key, (string?)entry.Value)).Reverse().DistinctBy(entry => entry.Key)).Build();
    }

    private sealed class Counter : TrainingObserver
    {
        public int Steps { get; private set; }

        public override void OnStep(Trainer trainer, TrainingStep step) => Steps++;
    }

    private sealed class TenImages : IImageSource
    {
        public string Name => "ten";

        public int Count => 10;

        public ImageShape Shape => new(1, 8, 8);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(full([indices.Length, 1, 8, 8], 0.25f));

        public void Dispose()
        {
        }
    }

    private sealed class Log : ILoggerFactory
    {
        public List<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        private sealed class Logger(string category, List<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Add($"{category}: {formatter(state, exception)}");
        }
    }
}
