using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A U-Net that predicts from noisy images and timesteps. Made by <see cref="UNetBuilder"/>.
/// What enters each down block, or also what leaves each of its layers, is joined to the up block of the same depth.
/// </summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B; U-Net: arXiv:1505.04597.</remarks>
public sealed class UNet : nn.Module<Tensor, Tensor, Tensor>
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

    /// <summary>The number of trainable numbers.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Predicts, without labels.</summary>
    /// <param name="images">The noisy images, [B, C, H, W], with C those of the image and the extra ones; any height and width that the block list can halve.</param>
    /// <param name="timesteps">[B], or [1] for the whole batch; any number type, fractions are allowed unless a table has a row for each.</param>
    /// <returns>[B, C out, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit, or the network needs labels: then <see cref="ConditionalUNet"/> or <see cref="Predict"/> takes them.</exception>
    public override Tensor forward(Tensor images, Tensor timesteps) => Predict(images, timesteps, null);

    /// <summary>Predicts, with labels where the network has them.</summary>
    /// <param name="images">As in <see cref="forward"/>.</param>
    /// <param name="timesteps">As in <see cref="forward"/>.</param>
    /// <param name="labels">[B], or [1] for the whole batch; vectors where <see cref="LabelKind.Identity"/> takes them as they are; <see langword="null"/> for a network without labels.</param>
    /// <returns>[B, C out, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit, or there are labels too many or missing.</exception>
    public Tensor Predict(Tensor images, Tensor timesteps, Tensor? labels)
    {
        Check(images, timesteps, labels);
        using var scope = NewDisposeScope();
        var (dialect, time) = (Options.Dialect, Time(timesteps, labels, images.size(0)));
        var hidden = NetworkEnds.First(_convIn, dialect.CenterInput ? (images * Scalars.Two) - Scalars.One : images);
        var skips = new Stack<Tensor>();
        foreach (var block in _down)
        {
            hidden = block.Run(hidden, time, skips);
        }

        foreach (var block in _mid)
        {
            hidden = block.call(hidden, time);
        }

        foreach (var block in _up)
        {
            hidden = block.Run(hidden, time, skips);
        }

        var output = NetworkEnds.Last(_convOut, nn.functional.silu(_normOut.call(hidden)));
        return (dialect.DivideByTime ? output / timesteps.to(output.dtype).view(-1, 1, 1, 1) : output).MoveToOuterDisposeScope(); // [B] → [B, 1, 1, 1]
    }

    /// <summary>A table of the blocks: output shape, parameters, multiply-adds.</summary>
    /// <returns>The text of <see cref="UNetSummary"/>.</returns>
    public override string ToString() => UNetSummary.Of(Options).ToString();

    /// <summary>The time embedding with the labels', activated for the residual blocks: [B, time dimension], or [1, time dimension].</summary>
    private Tensor Time(Tensor timesteps, Tensor? labels, long batch)
    {
        using var precision = MixedPrecision.Use(ComputePrecision.Float32);
        var time = _time.call(timesteps);
        time = labels is null ? time : time.Plus(_labels!.Embed(labels, batch, _time));
        return Options.Dialect.Residual.Activation.Apply(time);
    }

    private void Check(Tensor images, Tensor timesteps, Tensor? labels)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(timesteps);
        if (images.dim() != 4 || images.size(1) != _convIn.InChannels)
        {
            throw new ArgumentException($"Images must have the shape [B, {_convIn.InChannels}, H, W]; the shape is [{string.Join(", ", images.shape)}].", nameof(images));
        }

        if (timesteps.dim() != 1 || (timesteps.size(0) != images.size(0) && timesteps.size(0) != 1))
        {
            throw new ArgumentException($"Timesteps must have the shape [{images.size(0)}], one an image, or [1]; the shape is [{string.Join(", ", timesteps.shape)}].", nameof(timesteps));
        }

        if (labels is null != _labels is null)
        {
            throw new ArgumentException(
                labels is null ? $"This network needs labels: give them to {nameof(ConditionalUNet)} or {nameof(Predict)}." : $"This network has no labels ({nameof(UNetDialect)}.{nameof(UNetDialect.Labels)}); some were given.",
                nameof(labels));
        }
    }
}
