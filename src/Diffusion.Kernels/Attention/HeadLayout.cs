namespace Diffusion.Kernels;

/// <summary>Where the heads of queries, keys or values lie in the features of a token.</summary>
/// <param name="Offset">The first feature of the first head.</param>
/// <param name="Stride">The features from a head to the next.</param>
/// <param name="Width">The features of a head.</param>
internal readonly record struct HeadLayout(int Offset, int Stride, int Width)
{
    /// <summary>One head after the other, and nothing else.</summary>
    public static HeadLayout Alone(int width) => new(0, width, width);
}
