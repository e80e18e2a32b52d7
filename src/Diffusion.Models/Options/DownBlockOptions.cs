namespace Diffusion.Models;

/// <summary>A block of the contracting path: layers, then a downsampling.</summary>
public sealed record DownBlockOptions : IBlockOptions
{
    /// <summary>The channels that leave the block, at least 1.</summary>
    public int Channels { get; init; }

    /// <summary>The number of layers, at least 1; 2 by default.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Whether each layer has self-attention; off by default.</summary>
    public bool Attention { get; init; }

    /// <summary>The heads of the self-attention; they divide <see cref="Channels"/>. 4 by default.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Whether the image is halved after the layers; <see langword="null"/> (default): in every block but the last.</summary>
    public bool? Downsample { get; init; }

    /// <summary>How the image is halved; <see langword="null"/> (default): as everywhere in the network.</summary>
    public Downsampling? Downsampling { get; init; }
}
