using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>The settings of a <c>UNet2DModel</c> or <c>UNet2DConditionModel</c> of diffusers, as far as the compared networks use them.</summary>
internal sealed record EagerDiffusersOptions
{
    public required int ImageChannels { get; init; }

    /// <summary>The width of each level, from the full image to the bottom; each but the last halves the image.</summary>
    public required IReadOnlyList<int> Channels { get; init; }

    /// <summary>The heads of each level; 0 for no attention.</summary>
    public required IReadOnlyList<int> Heads { get; init; }

    /// <summary>The heads of the bottom.</summary>
    public required int MidHeads { get; init; }

    /// <summary>The residual layers of a level on the way down; there is one more on the way up.</summary>
    public required int Layers { get; init; }

    public required int Groups { get; init; }

    public required double Eps { get; init; }

    public required double Dropout { get; init; }

    /// <summary>Whether the convolutions that halve have their zeros below and to the right alone.</summary>
    public required bool PadsBottomRight { get; init; }

    public required int TimeDimension { get; init; }

    /// <summary>What is taken off the number of frequencies of the time's waves (<c>freq_shift</c>).</summary>
    public required double FrequencyShift { get; init; }

    /// <summary>Whether cosines come before sines (<c>flip_sin_to_cos</c>).</summary>
    public required bool CosineFirst { get; init; }

    /// <summary>The features of a token of the context; <see langword="null"/> without one: pixels then attend to each other alone.</summary>
    public int? ContextChannels { get; init; }

    /// <summary>The transformer blocks of a layer with attention to the context.</summary>
    public int TransformerLayers { get; init; } = 1;

    /// <summary>The same network as one of this library.</summary>
    /// <param name="options">Its block list.</param>
    public static EagerDiffusersOptions Of(UNetOptions options)
    {
        var dialect = options.Dialect;
        int HeadsOf(int channels, int heads) => dialect.Attention.HeadWidth is { } width ? channels / width : heads;
        return new()
        {
            ImageChannels = options.Image.Channels,
            Channels = [.. options.Down.Select(block => block.Channels)],
            Heads = [.. options.Down.Select(block => block.Attention ? HeadsOf(block.Channels, block.Heads) : 0)],
            MidHeads = HeadsOf(options.Mid[0].Channels, options.Mid[0].Heads),
            Layers = options.Down[0].Layers,
            Groups = options.NormGroups,
            Eps = dialect.Residual.NormEps,
            Dropout = dialect.Residual.Dropout,
            PadsBottomRight = options.Downsampling == Downsampling.Convolution3BottomRight,
            TimeDimension = options.TimeDimension,
            FrequencyShift = dialect.Time.FrequencyShift,
            CosineFirst = dialect.Time.Order == WaveOrder.CosineFirst,
            ContextChannels = dialect.Context?.Channels,
            TransformerLayers = dialect.Context?.Layers ?? 1,
        };
    }
}
