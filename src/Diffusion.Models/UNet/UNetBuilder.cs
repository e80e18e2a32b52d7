namespace Diffusion.Models;

/// <summary>
/// Composes a U-Net from blocks. Immutable: every method returns a new builder, so a prefix can be shared.
/// Nothing is checked or allocated before <see cref="Build"/>.
/// </summary>
/// <example><code>
/// using var unet = UNetBuilder.ForImages(channels: 1, size: 28).Down(64).Down(128, attention: true).Mid(128).Build();
/// </code></example>
public sealed class UNetBuilder
{
    private UNetBuilder(UNetOptions options) => Options = options;

    /// <summary>The block list so far.</summary>
    public UNetOptions Options { get; }

    /// <summary>Starts a network for square images.</summary>
    /// <param name="channels">1 for grey, 3 for RGB.</param>
    /// <param name="size">The height and width in pixels.</param>
    /// <returns>A builder without blocks.</returns>
    public static UNetBuilder ForImages(int channels, int size) => ForImages(new ImageShape(channels, size, size));

    /// <summary>Starts a network for images of any shape.</summary>
    /// <param name="image">The shape of one image.</param>
    /// <returns>A builder without blocks.</returns>
    public static UNetBuilder ForImages(ImageShape image) => new(new UNetOptions { Image = image });

    /// <summary>Starts from a block list, such as one from a configuration file.</summary>
    /// <param name="options">The block list.</param>
    /// <returns>A builder with these blocks.</returns>
    public static UNetBuilder From(UNetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new UNetBuilder(options);
    }

    /// <summary>Adds a block to the contracting path, below those there are.</summary>
    /// <param name="channels">The channels that leave the block.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="attention">Whether each layer has self-attention.</param>
    /// <param name="heads">The heads of the self-attention.</param>
    /// <param name="downsample">Whether the image is halved after the layers; by default in every block but the last.</param>
    /// <returns>A builder with the block.</returns>
    public UNetBuilder Down(int channels, int layers = 2, bool attention = false, int heads = 4, bool? downsample = null) =>
        With(Options with { Down = [.. Options.Down, new() { Channels = channels, Layers = layers, Attention = attention, Heads = heads, Downsample = downsample }] });

    /// <summary>Adds a block at the bottom, after those there are.</summary>
    /// <param name="channels">The channels that leave the block.</param>
    /// <param name="layers">The number of layers after the first residual block.</param>
    /// <param name="attention">Whether each layer has self-attention.</param>
    /// <param name="heads">The heads of the self-attention.</param>
    /// <returns>A builder with the block.</returns>
    public UNetBuilder Mid(int channels, int layers = 1, bool attention = true, int heads = 4) =>
        With(Options with { Mid = [.. Options.Mid, new() { Channels = channels, Layers = layers, Attention = attention, Heads = heads }] });

    /// <summary>Adds a block to the expanding path, above those there are. Without any, the path mirrors the contracting one.</summary>
    /// <param name="channels">The channels that leave the block.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="attention">Whether each layer has self-attention.</param>
    /// <param name="heads">The heads of the self-attention.</param>
    /// <param name="upsample">Whether the image is doubled before the layers; by default where the down block of the same depth halves it.</param>
    /// <returns>A builder with the block.</returns>
    public UNetBuilder Up(int channels, int layers = 2, bool attention = false, int heads = 4, bool? upsample = null) =>
        With(Options with { Up = [.. Options.Up, new() { Channels = channels, Layers = layers, Attention = attention, Heads = heads, Upsample = upsample }] });

    /// <summary>Gives the network labels.</summary>
    /// <param name="labels">The number of classes and how a label becomes a vector.</param>
    /// <returns>A builder of a network that takes labels.</returns>
    public UNetBuilder WithLabels(LabelOptions labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return With(Options with { Dialect = Options.Dialect with { Labels = labels } });
    }

    /// <summary>Gives the network a context: each block with attention then attends to the image and to the context.</summary>
    /// <param name="context">The features of a token, and the transformer blocks of a layer.</param>
    /// <returns>A builder of a network that takes a context.</returns>
    public UNetBuilder WithContext(ContextOptions context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return With(Options with { Dialect = Options.Dialect with { Context = context } });
    }

    /// <summary>Sets what is not a block: stem, time embedding, normalisation, resampling, initialisation.</summary>
    /// <param name="configure">Returns the changed options.</param>
    /// <returns>A builder with the changed options.</returns>
    public UNetBuilder With(Func<UNetOptions, UNetOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return With(configure(Options));
    }

    /// <summary>Checks the whole block list, then makes the network.</summary>
    /// <param name="seed">The seed of the initial weights; 0 by default.</param>
    /// <returns>The network, on the CPU.</returns>
    /// <exception cref="ArgumentException">The blocks do not fit together; the message lists every mistake.</exception>
    public UNet Build(long seed = 0) => new(Options, seed);

    /// <summary>Counts what the block list costs, without making the network.</summary>
    /// <returns>A table of the blocks: output shape, parameters, multiply-adds for one image and a context of 77 tokens, as many as CLIP's text model gives.</returns>
    /// <exception cref="ArgumentException">The blocks do not fit together; the message lists every mistake.</exception>
    public string Summary() => UNetSummary.Of(Options).ToString();

    private static UNetBuilder With(UNetOptions options) => new(options);
}
