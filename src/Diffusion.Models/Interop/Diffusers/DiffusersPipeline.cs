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
        Network = network.Module;
        Scheduler = scheduler;
        Denoiser = scheduler.Denoiser(Network);
    }

    /// <summary>The class of the pipeline, for example <c>DDPMPipeline</c>.</summary>
    public string ClassName => _folder.PipelineClass;

    /// <summary>The network, on the CPU unless it is moved, and in evaluation mode unless that is changed. It is the pipeline's: do not dispose it.</summary>
    public nn.Module<Tensor, Tensor, Tensor> Network { get; }

    /// <summary>The scheduler.</summary>
    public DiffusersScheduler Scheduler { get; }

    /// <summary>The noise schedule that the network was trained with.</summary>
    public INoiseSchedule Schedule => Scheduler.Schedule;

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization => Scheduler.Parameterization;

    /// <summary>The network as a denoiser: what a sampler samples from.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>Reads a folder that <c>save_pretrained</c> of diffusers or <see cref="Save"/> wrote. Nothing of it is run.</summary>
    /// <param name="path">The folder with model_index.json; its weights may have any of the formats of <see cref="WeightFiles"/>.</param>
    /// <param name="ignoredKeys">Keys of scheduler_config.json that are taken as if it did not have them; <see langword="null"/> (default) for none.</param>
    /// <returns>The pipeline; the caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be, a class or key is not known, or the weights do not fit the network, of which all are listed.</exception>
    public static DiffusersPipeline Load(string path, IReadOnlyCollection<string>? ignoredKeys = null) => Load(path, DiffusersNetworks.Build, ignoredKeys);

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
    internal static DiffusersPipeline Load(string path, Func<string, DiffusersNetwork> build, IReadOnlyCollection<string>? ignoredKeys = null)
    {
        var folder = DiffusersFolder.Read(path);
        try
        {
            var scheduler = folder.CreateScheduler(ignoredKeys);
            var network = build(folder.NetworkConfig);
            try
            {
                Fill(network, Path.Combine(path, WeightFolder.Network));
                network.Module.eval();
                return new DiffusersPipeline(folder, scheduler, network);
            }
            catch
            {
                network.Module.Dispose();
                throw;
            }
        }
        catch (InvalidDataException error) when (!error.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{path}' cannot be read as a pipeline of diffusers: {error.Message}", error);
        }
    }

    private static void Fill(DiffusersNetwork network, string folder)
    {
        using var files = WeightFiles.Open(folder);
        using var theirs = files.Load();
        try
        {
            Weights.Load(network.Module, network.Keys.ToOurs(theirs));
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"'{files.Path}' does not fit the network that its config.json describes. {error.Message}", error);
        }
    }
}
