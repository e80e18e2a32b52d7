namespace Diffusion.Kernels;

/// <summary>Words are floats. Values that are bfloat16 in memory are widened before they are multiplied.</summary>
internal readonly struct Float32Tile : ITileFormat
{
    public static int PerWord => 1;
}
