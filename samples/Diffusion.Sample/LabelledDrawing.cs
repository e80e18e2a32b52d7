using Diffusion.Configuration;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Draws with a network: the class that is asked for, or all classes in turn where it is class-conditional.</summary>
internal sealed class LabelledDrawing(IDenoiser network, RunOptions options, long? label)
{
    /// <summary>The network with the one label that is asked for, or without one; not limited.</summary>
    public IDenoiser Plain { get; } = label is { } one ? Bound(network, options, one) : network;

    /// <summary>How many classes are drawn in turn; 1 where there are none, or one alone.</summary>
    public int Labels => label is null ? (int)(options.NullLabel ?? 1) : 1;

    /// <summary>The label that is asked for, by the name of its class or by number; <see langword="null"/> without one.</summary>
    /// <exception cref="UsageException">A wrong use of --label and --guidance.</exception>
    public static long? Find(string file, RunOptions options, DrawingArguments arguments)
    {
        if (options.NullLabel is null)
        {
            if (arguments.Guidance is not (null or 1) || arguments.Label is not null)
            {
                var option = arguments.Label is { } label ? $"--label {label}" : FormattableString.Invariant($"--guidance {arguments.Guidance}");
                throw new UsageException($"{option} needs a class-conditional network; the model of '{file}' has no labels. Without guidance the scale is 1.");
            }
        }

        UsageException.IfUnused("the scale of guidance is 1, which is none.", arguments.GivenInterval((arguments.Guidance ?? options.Sampling.Guidance) == 1));

        try
        {
            return arguments.Label is { } name ? options.LabelOf(name) : null;
        }
        catch (ArgumentException e)
        {
            throw new UsageException("--" + UsageException.Text(e));
        }
    }

    /// <summary>Draws with the averaged weights of a trainer, all classes in turn where there are any.</summary>
    public static Tensor Draw(Trainer trainer, RunOptions options, RunFolder folder, CancellationToken cancellation)
    {
        var drawing = new LabelledDrawing(trainer.Ema, options, null);
        return Drawing.Draw(drawing.InTurn, options, folder, drawing.Labels, cancellation);
    }

    /// <summary>The limited denoiser of a batch: of the one class, or of all classes in turn.</summary>
    public IDenoiser InTurn(int first, int count) => options.Sampling.Limit(
        options.NullLabel is not { } classes || label is not null ? Plain : Bound(network, options, [.. Enumerable.Range(first, count).Select(i => i % classes)]));

    private static IDenoiser Bound(IDenoiser network, RunOptions options, params ReadOnlySpan<long> labels)
    {
        var bound = network.With(labels);
        return options.Sampling.Guidance == 1 ? bound : bound.Guided(options.Sampling.CreateGuidance());
    }
}
