namespace Diffusion.Models;

/// <summary>What every block of the list has.</summary>
internal interface IBlockOptions
{
    /// <summary>The channels that leave the block.</summary>
    int Channels { get; }

    /// <summary>The number of layers; each is a residual block and, where <see cref="Attention"/> is on, self-attention.</summary>
    int Layers { get; }

    /// <summary>Whether each layer has self-attention.</summary>
    bool Attention { get; }

    /// <summary>The heads of the self-attention; they divide <see cref="Channels"/>.</summary>
    int Heads { get; }
}
