namespace Diffusion.Models;

/// <summary>The constructor arguments of UNetModel in improved-diffusion and guided-diffusion, under their names there.</summary>
internal sealed record OpenAIArguments
{
    public const int Groups = 32;

    public int ImageSize { get; init; } = 64;

    public required int InChannels { get; init; }

    public required int ModelChannels { get; init; }

    public required int OutChannels { get; init; }

    public required int ResBlocks { get; init; }

    /// <summary>The factors of downsampling at which there is attention: 1 is the full image.</summary>
    public required IReadOnlyList<int> AttentionResolutions { get; init; }

    public double Dropout { get; init; }

    public IReadOnlyList<double> ChannelMult { get; init; } = [1, 2, 4, 8];

    public bool ConvResample { get; init; } = true;

    public int? Classes { get; init; }

    public int Heads { get; init; } = 1;

    /// <summary>−1 for <see cref="Heads"/> heads.</summary>
    public int HeadChannels { get; init; } = -1;

    /// <summary>−1 for as many as below.</summary>
    public int HeadsUpsample { get; init; } = -1;

    public bool ScaleShift { get; init; }

    public bool ResidualResampling { get; init; }

    public bool NewAttentionOrder { get; init; }

    public UNetOptions ToOptions()
    {
        var levels = ChannelMult.Select((multiplier, level) => (Channels: (int)(multiplier * ModelChannels), Attention: AttentionResolutions.Contains(1 << level))).ToList();
        var image = new ImageShape(Math.Min(InChannels, OutChannels), ImageSize, ImageSize);
        return new UNetOptions
        {
            Image = image,
            StemChannels = levels[0].Channels,
            Down = [.. levels.Select((level, i) => new DownBlockOptions { Channels = level.Channels, Layers = ResBlocks, Attention = level.Attention, Heads = HeadsOf(level.Channels, Heads), Downsample = i < levels.Count - 1 })],
            Mid = [new() { Channels = levels[^1].Channels, Heads = HeadsOf(levels[^1].Channels, Heads) }],
            Up = [.. Enumerable.Reverse(levels).Select((level, i) => new UpBlockOptions { Channels = level.Channels, Layers = ResBlocks + 1, Attention = level.Attention, Heads = HeadsOf(level.Channels, HeadsUpsample == -1 ? Heads : HeadsUpsample), Upsample = i > 0 })],
            TimeDimension = 4 * ModelChannels,
            NormGroups = Groups,
            Downsampling = ResidualResampling ? Downsampling.Residual : ConvResample ? Downsampling.Convolution3 : Downsampling.Average,
            Upsampling = ResidualResampling ? Upsampling.Residual : ConvResample ? Upsampling.Nearest : Upsampling.NearestOnly,
            Dialect = new UNetDialect
            {
                Residual = new() { Dropout = Dropout, TimeInjection = ScaleShift ? TimeInjection.ScaleShift : TimeInjection.Add },
                Attention = new() { Projection = NewAttentionOrder ? AttentionProjection.Joint : AttentionProjection.JointByHead },
                Time = new() { Width = ModelChannels, Order = WaveOrder.CosineFirst },
                Labels = Classes is { } classes ? new() { Classes = classes } : null,
                Skips = SkipConnections.Layer,
                ExtraChannels = InChannels - image.Channels,
                OutChannels = OutChannels == image.Channels ? null : OutChannels,
            },
        };
    }

    /// <summary>The number of heads; 0, which is a mistake, where a width does not divide the channels.</summary>
    private int HeadsOf(int channels, int heads) => HeadChannels == -1 ? heads : HeadChannels >= 1 && channels % HeadChannels == 0 ? channels / HeadChannels : 0;
}
