using Diffusion.Evaluation;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Images that no network drew, for the rows that a network is compared with: made of training images of MNIST in a random order, the first of it, or for the other half the last.</summary>
internal static class ResultImages
{
    private const string Digits = "samples/data/mnist";
    private const double BlurSigma = 1;
    private const double NoiseDeviation = 40;

    private static readonly Dictionary<string, (bool Last, Func<Tensor, Tensor> Change)> s_sets = new(StringComparer.Ordinal)
    {
        ["training"] = (Last: false, images => images.alias()),
        ["other-half"] = (Last: true, images => images.alias()),
        ["blurred"] = (Last: false, images => SpoiledImages.Blurred(images, BlurSigma)),
        ["noised"] = (Last: false, images => SpoiledImages.Noised(images, NoiseDeviation)),
    };

    /// <summary>Writes a file that <c>evaluate --images</c> takes.</summary>
    /// <param name="name">training, other-half, blurred (σ = 1 pixel) or noised (σ = 40 of 255).</param>
    /// <param name="count">How many images.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="FormatException">There is no such name.</exception>
    public static void Write(string name, int count, string path)
    {
        if (!s_sets.TryGetValue(name, out var set))
        {
            throw new FormatException($"There are no images '{name}'; there are {string.Join(", ", s_sets.Keys)}.");
        }

        using var scope = NewDisposeScope();
        using var training = Mnist.Open(Digits, Split.Train);
        var order = new Permutation(training.Count, seed: 0);
        using var batch = training.Read([.. Enumerable.Range(set.Last ? training.Count - count : 0, count).Select(i => order.At(i))]);
        var images = EightBitImages.ToFloat(set.Change(EightBitImages.From(batch.Images)));
        Safetensors.Save(path, [new("images", images)]);
    }
}
