using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>An operator that no layer of its own computes, at a shape that occurs in the network.</summary>
/// <param name="Family">Its kind.</param>
/// <param name="Shapes">The shapes of its inputs.</param>
/// <param name="Run">The operator.</param>
internal sealed record OperatorRun(string Family, IReadOnlyList<long[]> Shapes, Func<IReadOnlyList<Tensor>, Tensor> Run)
{
    /// <summary>What its inputs are like where activations have a type.</summary>
    public IReadOnlyList<TensorLayout> Layouts(ScalarType type) => [.. Shapes.Select(shape => new TensorLayout(shape, [.. Enumerable.Range(0, shape.Length)], type))];

    /// <summary>What tells it from others of its kind with the same inputs.</summary>
    public int Outputs { get; init; }

    /// <summary>Runs of one key take the same time.</summary>
    public string Key => $"{Family} {Outputs} {string.Join(" ", Shapes.Select(shape => string.Join("×", shape)))}";
}
