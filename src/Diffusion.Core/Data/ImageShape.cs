namespace Diffusion;

/// <summary>The shape of one image: [channels, height, width].</summary>
/// <param name="Channels">The number of channels: 1 for grey, 3 for RGB.</param>
/// <param name="Height">The height in pixels.</param>
/// <param name="Width">The width in pixels.</param>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    /// <summary>The shape of a batch of such images.</summary>
    /// <param name="count">The number of images.</param>
    /// <returns>[count, channels, height, width].</returns>
    public long[] Batch(long count) => [count, Channels, Height, Width];

    /// <inheritdoc/>
    public override string ToString() => $"{Channels}×{Height}×{Width}";
}
