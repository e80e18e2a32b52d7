using Diffusion.Imaging;
using Diffusion.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Configuration;

/// <summary>Registers a diffusion run with an application's services.</summary>
public static partial class DiffusionServiceCollectionExtensions
{
    /// <summary>
    /// Makes a run available: <c>IOptions&lt;RunOptions&gt;</c>, bound from configuration and checked as a whole when first read, and singletons made when first asked for:
    /// <see cref="IImageSource"/>, the training images; <see cref="UNet"/>; and <see cref="Diffusion.Trainer"/>, with the logger of the container, if it has one, which is told too what a folder holds beside its images; and every registered
    /// <see cref="TrainingObserver"/>. Register an image source or a network of your own before, and it is taken instead; an <see cref="IImageCodec"/>, and it reads the images. The container disposes what it made.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">The section that holds data, model, diffusion, training, sampling and watch.</param>
    /// <param name="checkpoints">The folder of the run's checkpoints; <see langword="null"/> (default): none are written.</param>
    /// <param name="device">Where the network computes; the CPU by default.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddDiffusion(this IServiceCollection services, IConfiguration configuration, string? checkpoints = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions();
        services.AddSingleton<IOptionsFactory<RunOptions>>(_ => new BoundOptions(configuration));
        services.TryAddSingleton(Images);
        services.TryAddSingleton(provider => Network(Run(provider), device));
        services.TryAddSingleton(provider => Trainer(provider, checkpoints));
        return services;
    }

    private static RunOptions Run(IServiceProvider provider) => provider.GetRequiredService<IOptions<RunOptions>>().Value;

    private static IImageSource Images(IServiceProvider provider)
    {
        var images = Run(provider).Data.Open(provider.GetService<IImageCodec>());
        if (LeftOutOf(images) is { Count: > 0 } counts && provider.GetService<ILoggerFactory>()?.CreateLogger<IImageSource>() is { } logger)
        {
            LogLeftOut(logger, images.Name, LeftOut.Listed(counts));
        }

        return images;
    }

    private static IReadOnlyList<(string What, int Count)> LeftOutOf(IImageSource images) => images switch
    {
        AugmentedImages augmented => LeftOutOf(augmented.Source),
        ImageFolder folder => folder.LeftOut,
        TextureCrops textures => textures.LeftOut,
        _ => [],
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Left out of {Images}: {Counts}")]
    private static partial void LogLeftOut(ILogger logger, string images, string counts);

    private static UNet Network(RunOptions run, Device? device)
    {
        var network = run.CreateNetwork();
        network.to(device ?? CPU);
        return network;
    }

    private static Trainer Trainer(IServiceProvider provider, string? checkpoints)
    {
        var images = provider.GetRequiredService<IImageSource>();
        var run = Run(provider).ForImages(images);
        var training = run.Training with
        {
            Checkpoints = run.Training.Checkpoints with { Folder = checkpoints, Metadata = new Dictionary<string, string> { [RunConfiguration.MetadataKey] = RunConfiguration.ToJson(run) } },
        };
        var trainer = run.CreateTrainer(
            provider.GetRequiredService<UNet>(), images, training, provider.GetService<ILoggerFactory>()?.CreateLogger<Trainer>());
        foreach (var observer in provider.GetServices<TrainingObserver>())
        {
            trainer.Observers.Add(observer);
        }

        return trainer;
    }

    private sealed class BoundOptions(IConfiguration configuration) : IOptionsFactory<RunOptions>
    {
        public RunOptions Create(string name) => RunConfiguration.Bind(configuration);
    }
}
