using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// 64 numbers of every image: the means, over the image, of what three 3×3 convolutions with stride 2 and rectifiers make of it, at their three scales.
/// The weights are random and fixed by a seed; nothing is trained or loaded, and the same images give the same numbers.
/// </summary>
/// <remarks>
/// In place of the Inception network of GANs Trained by a Two Time-Scale Update Rule, arXiv:1706.08500. Random weights where the images are not like those that Inception was
/// trained on: Reliable Fidelity and Diversity Metrics for Generative Models, arXiv:2002.09797, with a VGG16. Their variance, 2 / inputs: Delving Deep into Rectifiers, arXiv:1502.01852.
/// Distances compare with others of these features only, not with published ones.
/// </remarks>
internal sealed class RandomFeatures : IDisposable
{
    private const int Kernel = 3;
    private const int BatchSize = 256;

    private static readonly int[] Widths = [16, 16, 32];

    private readonly Tensor[] _weights;

    /// <param name="channels">Of the images.</param>
    /// <param name="seed">Of the weights.</param>
    public RandomFeatures(int channels, ulong seed = 0)
    {
        using var generator = new Generator(seed, CPU);
        int[] inputs = [channels, .. Widths];
        _weights = [.. Widths.Select((width, i) => Weight(inputs[i], width, generator))];
    }

    /// <summary>How many there are of an image.</summary>
    public static int Count { get; } = Widths.Sum();

    /// <param name="images">[N, C, H, W] in [−1, 1], on the CPU.</param>
    /// <returns>[N, 64], float64, for the caller to dispose.</returns>
    public Tensor Of(Tensor images)
    {
        using var scope = NewDisposeScope();
        return cat([.. images.split(BatchSize).Select(OfBatch)]).MoveToOuterDisposeScope();
    }

    public void Dispose() => Array.ForEach(_weights, weight => weight.Dispose());

    private static Tensor Weight(int inputs, int width, Generator generator)
    {
        using var scope = NewDisposeScope();
        var normal = randn([width, inputs, Kernel, Kernel], ScalarType.Float64, generator: generator);
        return (normal * Math.Sqrt(2.0 / (inputs * Kernel * Kernel))).MoveToOuterDisposeScope();
    }

    private Tensor OfBatch(Tensor images)
    {
        // In float64, in which libtorch's own convolutions are right (docs/decisions/0003-padded-convolutions.md).
        var hidden = images.to(ScalarType.Float64);
        var means = new List<Tensor>();
        foreach (var weight in _weights)
        {
            hidden = nn.functional.conv2d(hidden, weight, null!, [2, 2], [1, 1]).relu_();
            means.Add(hidden.mean([2, 3])); // [B, C, H, W] → [B, C]
        }

        return cat(means, 1);
    }
}
