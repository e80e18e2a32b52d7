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
    /// <see cref="TrainingObserver"/>. Register an image source or a network of your own before, and it is taken instead; an <see cref="IImageCodec"/>, and it reads the images; <c>IValidateOptions&lt;RunOptions&gt;</c>, and they check the options, too.
    /// The container disposes what it made. It holds one run.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">The section that holds data, model, diffusion, training, sampling and watch.</param>
    /// <param name="checkpoints">The folder of the run's checkpoints; <see langword="null"/> (default): none are written.</param>
    /// <param name="device">Where the network computes; the CPU by default. A network of your own is moved there before: one on another device is refused when the trainer is made.</param>
    /// <returns>The services.</returns>
    /// <exception cref="InvalidOperationException">The services have a run already.</exception>
    public static IServiceCollection AddDiffusion(this IServiceCollection services, IConfiguration configuration, string? checkpoints = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(IOptionsFactory<RunOptions>)))
        {
            throw new InvalidOperationException($"{nameof(AddDiffusion)} was called before, and a container holds one run: its network and its folder would be those of the first call, its options those of the second. Make a container for each run.");
        }

        services.AddOptions();
        services.AddSingleton<IOptionsFactory<RunOptions>>(provider => new BoundOptions(
            configuration, provider.GetServices<IConfigureOptions<RunOptions>>(), provider.GetServices<IPostConfigureOptions<RunOptions>>(), provider.GetServices<IValidateOptions<RunOptions>>()));
        services.TryAddSingleton(Images);
        services.TryAddSingleton(provider => Network(Run(provider), device));
        services.TryAddSingleton(provider => Trainer(provider, checkpoints, device));
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

    private static Trainer Trainer(IServiceProvider provider, string? checkpoints, Device? device)
    {
        var network = provider.GetRequiredService<UNet>();
        if (device is not null && network.parameters().First().device is var actual && (actual.type != device.type || (actual.index >= 0 && device.index >= 0 && actual.index != device.index)))
        {
            throw new InvalidOperationException($"The registered network is on the device {actual}, and {nameof(AddDiffusion)} was given {device}: move the network there before it is registered.");
        }

        var images = provider.GetRequiredService<IImageSource>();
        var run = Run(provider).ForImages(images);
        var training = run.Training with
        {
            Checkpoints = run.Training.Checkpoints with { Folder = checkpoints, Metadata = new Dictionary<string, string> { [RunConfiguration.MetadataKey] = RunConfiguration.ToJson(run) } },
        };
        var trainer = run.CreateTrainer(
            network, images, training, provider.GetService<ILoggerFactory>()?.CreateLogger<Trainer>());
        foreach (var observer in provider.GetServices<TrainingObserver>())
        {
            trainer.Observers.Add(observer);
        }

        return trainer;
    }

    /// <summary>Options that are bound and checked as a whole, and then go the way of all options.</summary>
    private sealed class BoundOptions(
        IConfiguration configuration, IEnumerable<IConfigureOptions<RunOptions>> setups, IEnumerable<IPostConfigureOptions<RunOptions>> lastSetups, IEnumerable<IValidateOptions<RunOptions>> validations)
        : OptionsFactory<RunOptions>(setups, lastSetups, validations)
    {
        protected override RunOptions CreateInstance(string name) => RunConfiguration.Bind(configuration);
    }
}
