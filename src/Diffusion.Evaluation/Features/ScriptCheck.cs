using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Whether a network computes in float32 what it does in float64.</summary>
/// <param name="Features">D.</param>
/// <param name="Deviation">The largest difference as a share of the largest feature; <see langword="null"/> where the network does not run in float64.</param>
internal sealed record ScriptCheck(int Features, double? Deviation)
{
    private const double MaxRounding = 5e-4;
    private const int Images = 4;
    private const long SmallestPoison = 1 << 4;
    private const long LargestPoison = 1 << 21; // values

    /// <summary>Loads a network in the type that it is right in.</summary>
    /// <exception cref="InvalidDataException">It does not take the images, or gives no features.</exception>
    public static (ScriptNetwork Network, ScriptCheck Check) Choose(ScriptArchive archive, ScriptInput input)
    {
        using var scope = NewDisposeScope();
        var images = Noise(input.Images);
        var single = ScriptNetwork.Load(archive, ScalarType.Float32);
        ScriptNetwork? twice = null;
        try
        {
            Poison();
            var features = single.Run(input.Of(images, ScalarType.Float32)).to(ScalarType.Float64);
            Tensor exact;
            try
            {
                twice = ScriptNetwork.Load(archive, ScalarType.Float64);
                exact = twice.Run(input.Of(images, ScalarType.Float64)).to(ScalarType.Float64);
            }
            catch (InvalidDataException) // its code asks for float32
            {
                twice?.Dispose();
                return (single, new ScriptCheck((int)features.shape[1], null));
            }

            var deviation = Difference(features, exact, archive.Path);
            (deviation <= MaxRounding ? twice : single).Dispose();
            return (deviation <= MaxRounding ? single : twice, new ScriptCheck((int)features.shape[1], deviation));
        }
        catch
        {
            single.Dispose();
            twice?.Dispose();
            throw;
        }
    }

    private static double Difference(Tensor features, Tensor exact, string path)
    {
        if (!exact.isfinite().all().item<bool>())
        {
            throw new InvalidDataException($"The network of '{path}' gives features that are no finite numbers for images of noise, 0 to 255; its options may not fit (scale, mean, size).");
        }

        var (difference, largest) = ((features - exact).abs().max().item<double>(), exact.abs().max().item<double>());
        return !double.IsFinite(difference) ? double.PositiveInfinity : difference == 0 ? 0 : difference / largest;
    }

    /// <summary>Images of random bytes, always the same.</summary>
    private static Tensor Noise(ImageShape shape)
    {
        var random = new SeededRandom(0);
        var bytes = new byte[checked(Images * shape.Channels * shape.Height * shape.Width)];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)random.Next(256);
        }

        return tensor(bytes, shape.Batch(Images));
    }

    /// <summary>Fills memory with NaN and frees it: a convolution that reads what nobody wrote then shows.</summary>
    private static void Poison()
    {
        using var scope = NewDisposeScope();
        using var nothing = float.NaN.ToScalar();
        for (var count = SmallestPoison; count <= LargestPoison; count *= 2)
        {
            for (var quarter = 4; quarter < 8; quarter++)
            {
                _ = full([count * quarter / 4], nothing, ScalarType.Float32, CPU);
            }
        }
    }
}
