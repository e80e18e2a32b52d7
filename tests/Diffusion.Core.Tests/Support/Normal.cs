using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Standard normal float32 numbers from a seed.</summary>
internal static class Normal
{
    public static Tensor Of(long seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return randn(shape, ScalarType.Float32, generator: generator);
    }
}
