using Diffusion.Configuration;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>What the commands do with networks that are told labels, and with those that are not.</summary>
internal sealed class LabelledDrawing
{
    private readonly RunOptions _options;
    private readonly ConditionalDenoiser? _conditional;
    private readonly long? _label;

    private LabelledDrawing(RunOptions options, ConditionalDenoiser? conditional, IDenoiser plain, long? label) =>
        (_options, _conditional, Plain, _label) = (options, conditional, plain, label);

    /// <summary>The network with the one label that is asked for, or without one; not limited.</summary>
    public IDenoiser Plain { get; }

    /// <summary>How many labels are drawn in turn; 1 where there are none, or one alone.</summary>
    public int Labels => _conditional is not null && _label is null ? (int)_options.NullLabel!.Value : 1;

    public static LabelledDrawing Of(UNet network, RunOptions options, long? label)
    {
        return options.NullLabel is { } none
            ? Of(new ConditionalDenoiser(new ConditionalUNet(network), options.Diffusion.CreateSchedule(), options.Diffusion.CreateParameterization(), none), options, label)
            : new LabelledDrawing(options, null, options.CreateDenoiser(network), null);
    }

    /// <summary>A wrong use of --label and --guidance.</summary>
    public static void Check(string file, RunOptions options, DrawingArguments arguments)
    {
        if (options.NullLabel is not { } classes)
        {
            if (arguments.Guidance is not (null or 1) || arguments.Label is not null)
            {
                var option = arguments.Label is { } label ? $"--label {label}" : FormattableString.Invariant($"--guidance {arguments.Guidance}");
                throw new UsageException($"{option} needs a network that knows labels; the model of '{file}' has no labels. Without guidance the scale is 1.");
            }
        }
        else if (arguments.Label is < 0 || arguments.Label >= classes)
        {
            throw new UsageException($"--label must be in [0, {classes - 1}]; it is {arguments.Label}.");
        }
    }

    /// <summary>Draws with the averaged weights of a trainer, all labels in turn where there are any.</summary>
    public static Tensor Draw(Trainer trainer, RunOptions options, RunFolder folder, CancellationToken cancellation)
    {
        var drawing = trainer.Conditional is { } conditional ? Of(conditional, options, null) : new LabelledDrawing(options, null, trainer.Denoiser, null);
        return Drawing.Draw((first, count) => trainer.Averaged(drawing.InTurn(first, count)), options, folder, drawing.Labels, cancellation);
    }

    /// <summary>The limited denoiser of a batch: of the one label, or of all labels in turn.</summary>
    public IDenoiser InTurn(int first, int count) => _options.Sampling.Limit(
        _conditional is null || _label is not null
            ? Plain
            : Bound(_conditional, [.. Enumerable.Range(first, count).Select(i => i % _options.NullLabel!.Value)], _options.Sampling.Guidance));

    private static LabelledDrawing Of(ConditionalDenoiser conditional, RunOptions options, long? label) =>
        new(options, conditional, label is { } one ? Bound(conditional, [one], options.Sampling.Guidance) : conditional.Unlabelled, label);

    private static IDenoiser Bound(ConditionalDenoiser conditional, ReadOnlySpan<long> labels, double guidance) =>
        guidance == 1 ? conditional.With(labels) : conditional.Guided(labels, guidance);
}
