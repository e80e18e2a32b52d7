namespace Diffusion.Models;

/// <summary>A block with what its network and its neighbours decide.</summary>
/// <param name="Network">The options of the network.</param>
/// <param name="Options">The block's own options.</param>
/// <param name="InChannels">The channels that enter it from the block before.</param>
/// <param name="Skips">The channels of the skip connection that joins each layer, from the first one on; layers without one follow.</param>
/// <param name="Resamples">Whether it halves or doubles the image.</param>
/// <param name="Height">The height its layers work at.</param>
/// <param name="Width">The width its layers work at.</param>
internal sealed record BlockPlan(UNetOptions Network, IBlockOptions Options, int InChannels, IReadOnlyList<int> Skips, bool Resamples, int Height, int Width)
{
    public int Channels => Options.Channels;

    public bool IsMid => Options is MidBlockOptions;

    /// <summary>The residual blocks: one for each layer and, in a mid block, one before them.</summary>
    public int Residuals => Options.Layers + (IsMid ? 1 : 0);

    public int Attentions => Options.Attention ? Options.Layers : 0;

    public Downsampling Downsampling => (Options as DownBlockOptions)?.Downsampling ?? Network.Downsampling;

    public Upsampling Upsampling => (Options as UpBlockOptions)?.Upsampling ?? Network.Upsampling;

    private double OutputScale => (Options as MidBlockOptions)?.OutputScale ?? Network.Dialect.Residual.OutputScale;

    /// <summary>The residual block of a layer.</summary>
    public ResidualPlan Residual(int layer) =>
        ResidualPlan.Of(Network, (layer == 0 ? InChannels : Channels) + (layer < Skips.Count ? Skips[layer] : 0), Channels) with { OutputScale = OutputScale };

    /// <summary>The residual block that halves or doubles the image, where one does.</summary>
    public ResidualPlan Resampler(ResidualResampling resampling)
    {
        var channels = resampling == ResidualResampling.Down ? Channels : InChannels;
        return ResidualPlan.Of(Network, channels, channels) with { Resampling = resampling };
    }

    /// <summary>The self-attention of each layer.</summary>
    public AttentionPlan Attention()
    {
        var plan = AttentionPlan.Of(Network, Channels, Options.Heads);
        return plan with { OutputScale = OutputScale, Groups = (Options as MidBlockOptions)?.AttentionGroups ?? plan.Groups };
    }

    /// <summary>What takes the place of the self-attention of each layer in a network with a context; <see langword="null"/> without one.</summary>
    public SpatialTransformerOptions? Transformer()
    {
        if (Network.Dialect.Context is not { } context)
        {
            return null;
        }

        var attention = Attention();
        return new()
        {
            ContextChannels = context.Channels,
            Heads = attention.Heads,
            HeadWidth = attention.HeadWidth,
            Layers = context.Layers,
            NormGroups = Network.NormGroups,
            LinearProjection = context.LinearProjection,
            ZeroInitialize = attention.StartsAtZero,
        };
    }
}
