namespace Diffusion.Models;

/// <summary>A block of the expanding path: an upsampling, the skip connection joined as further channels, then layers.</summary>
public sealed record UpBlockOptions : IBlockOptions
{
    /// <summary>The channels that leave the block, at least 1.</summary>
    public int Channels { get; init; }

    /// <summary>The number of layers, at least 1; 2 by default.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Whether each layer has self-attention; off by default.</summary>
    public bool Attention { get; init; }

    /// <summary>The heads of the self-attention; they divide <see cref="Channels"/>. 4 by default.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Whether the image is doubled before the layers; <see langword="null"/> (default): where the down block of the same depth halves it. Anything else than that does not fit.</summary>
    public bool? Upsample { get; init; }

    /// <summary>How the image is doubled; <see langword="null"/> (default): as everywhere in the network.</summary>
    public Upsampling? Upsampling { get; init; }
}
