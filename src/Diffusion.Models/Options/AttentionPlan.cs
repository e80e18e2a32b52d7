using Diffusion.Kernels;

namespace Diffusion.Models;

/// <summary>A self-attention with everything filled in.</summary>
/// <param name="Channels">The channels that enter and leave.</param>
/// <param name="Heads">The number of heads.</param>
/// <param name="HeadWidth">The channels of each head.</param>
/// <param name="Projection">How the weights are held.</param>
internal sealed record AttentionPlan(int Channels, int Heads, int HeadWidth, AttentionProjection Projection)
{
    /// <summary>The groups of its normalisation; 0 for none.</summary>
    public int Groups { get; init; }

    public double Eps { get; init; }

    public double OutputScale { get; init; } = 1;

    public bool StartsAtZero { get; init; }

    /// <summary>The channels inside: fewer than outside where heads of a given width do not fill them.</summary>
    public int Inner => Heads * HeadWidth;

    /// <summary>Where heads lie in what the projections make.</summary>
    public AttentionLayout Layout => Projection switch
    {
        AttentionProjection.Separate => AttentionLayout.Separate(Heads, HeadWidth),
        AttentionProjection.JointByHead => AttentionLayout.JointByHead(Heads, HeadWidth),
        _ => AttentionLayout.Joint(Heads, HeadWidth),
    };

    public static AttentionPlan Of(UNetOptions network, int channels, int heads)
    {
        var options = network.Dialect.Attention;
        var count = options.HeadWidth is { } width ? channels / width : heads;
        return new AttentionPlan(channels, count, options.HeadWidth ?? channels / heads, options.Projection)
        {
            Groups = options.NormGroups ?? network.NormGroups,
            Eps = options.NormEps ?? network.Dialect.Residual.NormEps,
            OutputScale = network.Dialect.Residual.OutputScale,
            StartsAtZero = network.ZeroInitialize,
        };
    }
}
