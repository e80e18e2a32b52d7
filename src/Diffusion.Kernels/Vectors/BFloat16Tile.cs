namespace Diffusion.Kernels;

/// <summary>Words are two bfloat16, the first in the lower half.</summary>
internal readonly struct BFloat16Tile : ITileFormat
{
    public static int PerWord => 2;
}
