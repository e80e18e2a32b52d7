using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>An unconditional pipeline of the diffusers library: its network with the weights, and its scheduler as schedule, parameterization and samplers.</summary>
/// <remarks>
/// huggingface/diffusers, src/diffusers/pipelines/ddpm and ddim. Unlike there images are [B, C, H, W] in [−1, 1], as everywhere in this library; those of diffusers
/// are ((x/2 + 0.5) clamped to [0, 1]) in the order [B, H, W, C].
/// </remarks>
public sealed class DiffusersPipeline : IDisposable
{
    private readonly DiffusersFolder _folder;
    private readonly KeyMap _keys;

    private DiffusersPipeline(DiffusersFolder folder, DiffusersScheduler scheduler, DiffusersNetwork network)
    {
        (_folder, _keys) = (folder, network.Keys);
        (Network, Scheduler, WeightsFile) = (network.Module, scheduler, network.File);
        (ClassNames, NullLabel) = (folder.Notes.ClassNames, folder.Notes.NullLabel);
        if (folder.Notes.Sizes.Count > 0)
        {
            folder.ThrowUnlessNoted(folder.InPatches(DiffusersUNet.Parse(folder.NetworkConfig)).Options.Image);
        }

        Schedule = folder.Notes.Schedule?.Schedule(folder.SchedulerConfig, scheduler.Schedule) ?? scheduler.Schedule;
        Denoiser = new NetworkDenoiser(Network, Schedule, Parameterization, NullLabel is { } label ? Condition.OfLabels(label) : null);
    }

    /// <summary>The class of the pipeline, for example <c>DDPMPipeline</c>.</summary>
    public string ClassName => _folder.PipelineClass;

    /// <summary>The network, on the CPU unless it is moved, and in evaluation mode unless that is changed. It is the pipeline's: do not dispose it.</summary>
    public nn.Module<Tensor, Tensor, Tensor> Network { get; }

    /// <summary>The file that the weights were loaded from, or the index of their shards; <see langword="null"/> for a pipeline that was not loaded.</summary>
    public string? WeightsFile { get; }

    /// <summary>The scheduler.</summary>
    public DiffusersScheduler Scheduler { get; }

    /// <summary>The noise schedule that the network was trained with: the scheduler's, whose table is rounded to Float32 as in diffusers, or the one of <see cref="From(UNet, INoiseSchedule, Parameterization?, ImageLimit?, DdpmOptions?, long?, IReadOnlyList{string}?)"/> to the bit.</summary>
    public INoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization => Scheduler.Parameterization;

    /// <summary>What the scheduler does to x̂₀. Samplers of <see cref="CreateSampler"/> have it; for others: <c>pipeline.Denoiser.Limited(pipeline.Limit)</c>.</summary>
    public ImageLimit Limit => Scheduler.Limit;

    /// <summary>The names of the classes, by their labels; <see langword="null"/> where the folder has none.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>The label that stands for no class, which guidance needs; <see langword="null"/> where the folder says none.</summary>
    public long? NullLabel { get; }

    /// <summary>The network as a denoiser: what a sampler samples from.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>Reads a folder that <c>save_pretrained</c> of diffusers or <see cref="Save"/> wrote. Nothing of it is run.</summary>
    /// <param name="path">The folder with model_index.json; its weights may have any of the formats of <see cref="WeightFiles"/>.</param>
    /// <param name="ignoredKeys">Keys of scheduler_config.json that are taken as if it did not have them; <see langword="null"/> (default) for none.</param>
    /// <param name="variant">Which weights, for example <c>fp16</c> of unet/diffusion_pytorch_model.fp16.safetensors; <see langword="null"/> (default) for those without a variant.</param>
    /// <returns>The pipeline; the caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be, a class or key is not known, or the weights do not fit the network, of which all are listed.</exception>
    public static DiffusersPipeline Load(string path, IReadOnlyCollection<string>? ignoredKeys = null, string? variant = null) => Load(path, build: null, ignoredKeys, variant);

    /// <summary>Makes a pipeline of a network that was trained here, for <see cref="Save"/>: a DDPMPipeline with a UNet2DModel and a DDPMScheduler, or for a rectified flow a FlowMatchEulerDiscreteScheduler.</summary>
    /// <remarks>
    /// What is saved is read back to the same samples, bit for bit. model_index.json then also says, under a key that diffusers passes over, what the images are (value range, shape, class names, null
    /// label) and that the schedule is in Float64. Of a network on patches (<see cref="UNetDialect.PatchSize"/>) the UNet2DModel is the network within, with C·p·p channels at H/p × W/p and the same weights, and
    /// model_index.json says p, so that it is read back as it was; in Python <c>torch.nn.functional.pixel_shuffle(samples, p)</c> makes images of its samples [B, C·p·p, H/p, W/p]. DDPMPipeline of diffusers draws without labels; Python code calls <c>unet(x, t, class_labels)</c> for a network that takes them.
    /// </remarks>
    /// <param name="network">The network; its weights are copied. For averaged weights: <see cref="FromTrainer"/>.</param>
    /// <param name="schedule">The schedule that it was trained with: one that preserves the variance, from a table, or <see cref="NoiseSchedule.RectifiedFlow"/>.</param>
    /// <param name="parameterization">What it predicts: epsilon (default), image or velocity; flow for a rectified flow.</param>
    /// <param name="limit">What is done to x̂₀; clipping to [−1, 1] by default. Of a rectified flow nothing can be.</param>
    /// <param name="sampling">None for a rectified flow. Else the spacing (trailing by default, leading, linspace) and the variance of the steps; by default that of the posterior, or the learned one where the network learns one. Another option is an error.</param>
    /// <param name="nullLabel">The label that stands for no class; <see langword="null"/> (default) if there is none.</param>
    /// <param name="classNames">The names of the classes by their labels, the null label apart where it is the last; none by default.</param>
    /// <returns>The pipeline; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">diffusers cannot express something, or names and labels are not the network's; the message says what.</exception>
    public static DiffusersPipeline From(
        UNet network,
        INoiseSchedule schedule,
        Parameterization? parameterization = null,
        ImageLimit? limit = null,
        DdpmOptions? sampling = null,
        long? nullLabel = null,
        IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var weights = Weights.Snapshot(network);
        return From(network, weights, schedule, parameterization, limit, sampling, new PipelineNotes { NullLabel = nullLabel, ClassNames = classNames is null ? null : [.. classNames] });
    }

    /// <summary>Makes a pipeline of a trained run: as <see cref="From(UNet, INoiseSchedule, Parameterization?, ImageLimit?, DdpmOptions?, long?, IReadOnlyList{string}?)"/>, with what the trainer knows.</summary>
    /// <param name="trainer">The trainer of a <see cref="UNet"/>; schedule, prediction and null label are its own.</param>
    /// <param name="limit">What is done to x̂₀; clipping to [−1, 1] by default. Of a rectified flow nothing can be.</param>
    /// <param name="sampling">Spacing and variance of the steps; none for a rectified flow.</param>
    /// <param name="classNames">The names of the classes by their labels; none by default.</param>
    /// <param name="averaged">Whether the weights are the moving average, <see cref="Trainer.Ema"/> (default), or those as trained.</param>
    /// <returns>The pipeline; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">diffusers cannot express something, self-conditioning included; the message says what.</exception>
    public static DiffusersPipeline FromTrainer(Trainer trainer, ImageLimit? limit = null, DdpmOptions? sampling = null, IReadOnlyList<string>? classNames = null, bool averaged = true)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        if (trainer.Network is not UNet network || trainer.Denoiser is not NetworkDenoiser denoiser)
        {
            throw new ArgumentException($"The trainer's network must be a {nameof(UNet)}; it is {trainer.Network.GetName()}.", nameof(trainer));
        }

        if (denoiser.UsesEstimate)
        {
            throw new ArgumentException("diffusers cannot express self-conditioning.", nameof(trainer));
        }

        using var weights = trainer.Weights(averaged);
        return From(network, weights, denoiser.Schedule, denoiser.Parameterization, limit, sampling, new PipelineNotes { NullLabel = trainer.Conditions.NullLabel, ClassNames = classNames is null ? null : [.. classNames] });
    }

    /// <summary>Makes a sampler that takes the steps of the scheduler.</summary>
    /// <param name="steps">The number of steps, called num_inference_steps there; at least 1.</param>
    /// <param name="eta">DDIM: η, at least 0; 0 by default. <c>eta</c> of <c>step</c> in diffusers.</param>
    /// <param name="useClippedModelOutput">DDIM: whether ε̂ is derived again from the limited x̂₀; false by default. <c>use_clipped_model_output</c> of <c>step</c> in diffusers.</param>
    /// <param name="churn">Euler and EDM: noise added before a step; none by default. <c>s_churn</c>, <c>s_tmin</c>, <c>s_tmax</c> and <c>s_noise</c> of <c>step</c> in diffusers.</param>
    /// <param name="mu">Flow matching with dynamic shifting: the shift for the size of the image, needed there. <c>mu</c> of <c>set_timesteps</c> in diffusers.</param>
    /// <returns>The sampler; give it <see cref="Denoiser"/>.</returns>
    public Sampler CreateSampler(int steps, double eta = 0, bool useClippedModelOutput = false, Churn? churn = null, double? mu = null) =>
        Scheduler.CreateSampler(steps, eta, useClippedModelOutput, churn, mu);

    /// <summary>Writes a folder that diffusers reads: the configurations as they were read, and the network's weights as they are now.</summary>
    /// <param name="path">The folder to make, which must not exist or be empty. It appears whole or not at all.</param>
    /// <exception cref="ArgumentException">diffusers has no name for a weight of the network; the message names it.</exception>
    /// <exception cref="IOException">There is something at <paramref name="path"/> already, or it cannot be written.</exception>
    public void Save(string path)
    {
        using var weights = Weights.Snapshot(Network);
        _folder.Write(path, _keys.ToTheirs(weights));
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    /// <param name="path">The folder.</param>
    /// <param name="build">Makes a network of the text of unet/config.json.</param>
    /// <param name="ignoredKeys">Keys of scheduler_config.json that are taken as if it did not have them.</param>
    /// <param name="variant">Which weights.</param>
    internal static DiffusersPipeline Load(string path, Func<string, DiffusersNetwork>? build, IReadOnlyCollection<string>? ignoredKeys = null, string? variant = null)
    {
        var folder = DiffusersFolder.Read(path);
        try
        {
            var scheduler = folder.CreateScheduler(ignoredKeys);
            return Of(folder, scheduler, DiffusersNetworks.Load(folder.NetworkConfig, folder.WeightsFolder, variant, (config, weights) => build is null ? DiffusersNetworks.Build(config, weights, folder.InPatches) : build(config)));
        }
        catch (InvalidDataException error) when (!error.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{path}' cannot be read as a pipeline of diffusers: {error.Message}", error);
        }
    }

    private static DiffusersPipeline Of(DiffusersFolder folder, DiffusersScheduler scheduler, DiffusersNetwork network)
    {
        try
        {
            return new DiffusersPipeline(folder, scheduler, network);
        }
        catch (ArgumentException error)
        {
            network.Module.Dispose();
            throw new InvalidDataException($"model_index.json: {error.Message}", error);
        }
        catch
        {
            network.Module.Dispose();
            throw;
        }
    }

    private static DiffusersPipeline From(
        UNet network, IReadOnlyDictionary<string, Tensor> weights, INoiseSchedule schedule, Parameterization? parameterization, ImageLimit? limit, DdpmOptions? sampling, PipelineNotes notes)
    {
        var described = DiffusersUNet.OfPatches(network.Options);
        var folder = FolderWriter.Write(described, schedule, parameterization ?? Parameterization.Epsilon, limit, sampling, notes);
        var scheduler = folder.CreateScheduler();
        var copy = described.Build();
        try
        {
            copy.eval();
            Weights.Load(copy, weights);
        }
        catch
        {
            copy.Dispose();
            throw;
        }

        return Of(folder, scheduler, new DiffusersNetwork(copy, described.Keys));
    }
}
