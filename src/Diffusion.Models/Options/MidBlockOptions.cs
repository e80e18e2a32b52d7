namespace Diffusion.Models;

/// <summary>A block at the bottom: a residual block, then layers of self-attention and a residual block.</summary>
public sealed record MidBlockOptions : IBlockOptions
{
    /// <summary>The channels that leave the block, at least 1.</summary>
    public int Channels { get; init; }

    /// <summary>The number of layers after the first residual block, at least 0; 1 by default.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether each layer has self-attention; on by default.</summary>
    public bool Attention { get; init; } = true;

    /// <summary>The heads of the self-attention; they divide <see cref="Channels"/>. 4 by default.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>The groups of the normalisation before its self-attention; 0 for no normalisation; <see langword="null"/> (default): as everywhere in the network.</summary>
    public int? AttentionGroups { get; init; }

    /// <summary>What its sums of a residual branch and an input are divided by, above 0; <see langword="null"/> (default): as everywhere in the network.</summary>
    public double? OutputScale { get; init; }
}
