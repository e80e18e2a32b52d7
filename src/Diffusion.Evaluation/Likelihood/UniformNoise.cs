using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Uniform noise over the bin of an 8-bit value.</summary>
internal static class UniformNoise
{
    /// <summary>Noise in [−1/255, 1/255), where image <c>i</c> depends on the seed and <c>i</c> only.</summary>
    /// <param name="images">[B, …]: gives shape, type and device.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="firstImage">The number of the first image.</param>
    /// <returns>The noise, for the caller to dispose.</returns>
    public static Tensor Of(Tensor images, long seed, long firstImage)
    {
        var own = unchecked((long)SeedMixer.Mix(seed, SeedMixer.Purpose.Evaluation, 1));
        var count = images.numel() / images.shape[0];
        var noise = new double[images.numel()];
        for (var i = 0L; i < images.shape[0]; i++)
        {
            var random = new SeededRandom(own, firstImage + i);
            for (var k = i * count; k < (i + 1) * count; k++)
            {
                noise[k] = (random.NextDouble() - 0.5) / EightBitValues.PerUnit;
            }
        }

        using var scope = NewDisposeScope();
        return tensor(noise).view(images.shape).to(images.dtype).to(images.device).MoveToOuterDisposeScope();
    }
}
