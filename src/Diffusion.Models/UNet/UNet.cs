using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A U-Net that predicts from noisy images and timesteps and, where its options have them, from labels, a context or both. Made by <see cref="UNetBuilder"/>.
/// What enters each down block, or also what leaves each of its layers, is joined to the up block of the same depth.
/// </summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B; U-Net: arXiv:1505.04597. Labels: Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233. Context:
/// High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3, a <see cref="Layers.SpatialTransformer"/> in place of each self-attention.
/// </remarks>
public sealed class UNet : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _convIn;

    [ComponentName(Name = "time")]
    private readonly TimeEmbedding _time;

    [ComponentName(Name = "labels")]
    private readonly LabelEmbedding? _labels;

    [ComponentName(Name = "down")]
    private readonly ModuleList<DownBlock> _down;

    [ComponentName(Name = "mid")]
    private readonly ModuleList<UNetLayers> _mid;

    [ComponentName(Name = "up")]
    private readonly ModuleList<UpBlock> _up;

    [ComponentName(Name = "norm_out")]
    private readonly GroupNorm _normOut;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _convOut;

    internal UNet(UNetOptions options, long seed)
        : base(nameof(UNet))
    {
        options.ThrowIfInvalid(nameof(options));
        DiffusionRuntime.EnsureLoaded();
        Options = options;
        var (plan, dialect) = (UNetPlan.Of(options), options.Dialect);
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        _convIn = new Conv2d(plan.InChannels, plan.Stem, 3, padding: 1, generator: generator);
        _time = new TimeEmbedding(options.TimeDimension, dialect.Time, generator);
        _labels = dialect.Labels is { } labels ? new LabelEmbedding(labels, options.TimeDimension, dialect.Time, generator) : null;
        _down = new([.. plan.Down.Select(block => new DownBlock(block, generator))]);
        _mid = new([.. plan.Mid.Select(block => new UNetLayers(block, generator))]);
        _up = new([.. plan.Up.Select(block => new UpBlock(block, generator))]);
        _normOut = new GroupNorm(options.NormGroups, plan.LastChannels, dialect.Residual.NormEps);
        _convOut = new Conv2d(plan.LastChannels, plan.OutChannels, 3, padding: 1, generator: generator);
        if (options.ZeroInitialize)
        {
            ZeroInitialization.Apply(_convOut);
        }

        RegisterComponents();
    }

    /// <summary>The block list that the network was made from.</summary>
    public UNetOptions Options { get; }

    /// <summary>The number of parameters: those that are trained, and the frequencies of <see cref="TimeEmbeddingKind.Fourier"/>, which are drawn once and saved with them.</summary>
    public long ParameterCount => parameters().Concat(buffers()).Sum(values => values.numel());

    /// <inheritdoc/>
    public bool TakesLabels => _labels is not null;

    /// <inheritdoc/>
    public bool TakesContext => Options.Dialect.Context is not null;

    /// <summary>Predicts, for a network without labels and context.</summary>
    /// <param name="images">The noisy images, [B, C, H, W], with C those of the image and the extra ones; any height and width that the block list can halve.</param>
    /// <param name="timesteps">[B], or [1] for the whole batch; any number type, fractions are allowed unless a table has a row for each.</param>
    /// <returns>[B, C out, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit, or the network needs labels or a context: <see cref="Predict"/> takes them.</exception>
    public override Tensor forward(Tensor images, Tensor timesteps) => Predict(images, timesteps);

    /// <summary>Predicts, with labels and a context where the network takes them.</summary>
    /// <param name="noisy">The noisy images, [B, C, H, W], with C those of the image and the extra ones; any height and width that the block list can halve.</param>
    /// <param name="timesteps">[B], or [1] for the whole batch; any number type, fractions are allowed unless a table has a row for each.</param>
    /// <param name="labels">[B], or [1] for the whole batch; vectors where <see cref="LabelKind.Identity"/> takes them as they are; <see langword="null"/> (default) exactly where the network takes none.</param>
    /// <param name="context">[B, L, D], any L of at least 1; <see langword="null"/> (default) exactly where the network takes none.</param>
    /// <returns>[B, C out, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit, or labels or a context are missing or too many.</exception>
    public Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels = null, Tensor? context = null)
    {
        Check(noisy, timesteps);
        CheckConditions(noisy, labels, context);
        using var scope = NewDisposeScope();
        var (dialect, time) = (Options.Dialect, Time(timesteps, labels, noisy.size(0)));
        var hidden = NetworkEnds.First(_convIn, ToPatches(dialect.CenterInput ? (noisy * Scalars.Two) - Scalars.One : noisy));
        var skips = new Stack<Tensor>();
        foreach (var block in _down)
        {
            hidden = block.Run(hidden, time, context, skips);
        }

        foreach (var block in _mid)
        {
            hidden = block.Run(hidden, time, context);
        }

        foreach (var block in _up)
        {
            hidden = block.Run(hidden, time, context, skips);
        }

        var output = FromPatches(NetworkEnds.Last(_convOut, nn.functional.silu(_normOut.call(hidden))));
        return (dialect.DivideByTime ? output / timesteps.to(output.dtype).view(-1, 1, 1, 1) : output).MoveToOuterDisposeScope(); // [B] → [B, 1, 1, 1]
    }

    /// <summary>
    /// A network for other classes: a copy with a label table of another size. All other weights have the same bits, and what is frozen stays
    /// frozen; new vectors are drawn as for a new network and are trained. Which parameters are trained is chosen with <see cref="Weights.Freeze"/>.
    /// </summary>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="startFrom">For each new class the former one whose vector it starts with, or <see langword="null"/> where it is drawn: the label that stands for none should be taken over. Nothing is taken over by default.</param>
    /// <param name="seed">The seed of the new vectors; 0 by default.</param>
    /// <returns>The network, on the same device and in the same type; the caller disposes it. This one, which needs a label table, is not changed.</returns>
    /// <exception cref="ArgumentException">A former class does not exist or is not given for each new one.</exception>
    /// <exception cref="InvalidOperationException">The network has no label table.</exception>
    public UNet WithClasses(int classes, IReadOnlyList<int?>? startFrom = null, long seed = 0) => UNetClasses.Change(this, classes, startFrom, seed);

    /// <summary>A table of the blocks: output shape, parameters, multiply-adds.</summary>
    /// <returns>The text of <see cref="UNetBuilder.Summary"/>.</returns>
    public override string ToString() => UNetSummary.Of(Options).ToString();

    /// <summary>The time embedding with the labels', activated for the residual blocks: [B, time dimension], or [1, time dimension].</summary>
    private Tensor Time(Tensor timesteps, Tensor? labels, long batch)
    {
        using var precision = MixedPrecision.Use(ComputePrecision.Float32);
        var time = _time.call(timesteps);
        time = labels is null ? time : time.Plus(_labels!.Embed(labels, batch, _time));
        return Options.Dialect.Residual.Activation.Apply(time);
    }

    /// <summary>[B, C, H, W] → [B, C·p·p, H/p, W/p].</summary>
    private Tensor ToPatches(Tensor images) => Options.Dialect.PatchSize == 1 ? images : nn.functional.pixel_unshuffle(images, Options.Dialect.PatchSize);

    /// <summary>[B, C·p·p, H/p, W/p] → [B, C, H, W].</summary>
    private Tensor FromPatches(Tensor patches) => Options.Dialect.PatchSize == 1 ? patches : nn.functional.pixel_shuffle(patches, Options.Dialect.PatchSize);

    private void Check(Tensor noisy, Tensor timesteps)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        ArgumentNullException.ThrowIfNull(timesteps);
        var (channels, patch) = (Options.Image.Channels + Options.Dialect.ExtraChannels, Options.Dialect.PatchSize);
        if (noisy.dim() != 4 || noisy.size(1) != channels || noisy.size(2) % patch != 0 || noisy.size(3) % patch != 0)
        {
            var sides = patch == 1 ? "" : $" with sides that {nameof(UNetOptions.Dialect.PatchSize)}, {patch}, divides";
            throw new ArgumentException($"Images must have the shape [B, {channels}, H, W]{sides}; the shape is [{string.Join(", ", noisy.shape)}].", nameof(noisy));
        }

        if (timesteps.dim() != 1 || (timesteps.size(0) != noisy.size(0) && timesteps.size(0) != 1))
        {
            throw new ArgumentException($"Timesteps must have the shape [{noisy.size(0)}], one an image, or [1]; the shape is [{string.Join(", ", timesteps.shape)}].", nameof(timesteps));
        }
    }

    private void CheckConditions(Tensor noisy, Tensor? labels, Tensor? context)
    {
        var (lacksLabels, lacksContext) = (TakesLabels && labels is null, TakesContext && context is null);
        if (lacksLabels || lacksContext)
        {
            var missing = lacksLabels ? lacksContext ? "labels and a context" : "labels" : "a context";
            throw new ArgumentException($"This network needs {missing}: give them to {nameof(Predict)}, or bind a {nameof(Condition)} to a {nameof(NetworkDenoiser)}.", lacksLabels ? nameof(labels) : nameof(context));
        }

        if (labels is not null && !TakesLabels)
        {
            throw new ArgumentException($"This network has no labels ({nameof(UNetDialect)}.{nameof(UNetDialect.Labels)}); some were given.", nameof(labels));
        }

        if (context is not null)
        {
            TokenInput.CheckContext(context, noisy.size(0), Options.Dialect.Context?.Channels
                ?? throw new ArgumentException($"This network has no context ({nameof(UNetDialect)}.{nameof(UNetDialect.Context)}); one was given.", nameof(context)), nameof(UNet));
        }
    }
}
