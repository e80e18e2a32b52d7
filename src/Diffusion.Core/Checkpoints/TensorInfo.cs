using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a file says of a tensor without its elements. Two are equal if their types and shapes are.</summary>
/// <param name="Type">The type of the elements.</param>
/// <param name="Shape">The sizes of the dimensions; empty for a scalar.</param>
public sealed record TensorInfo(ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>The number of elements: 1 for a scalar, 0 where a dimension is empty.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);

    /// <inheritdoc/>
    public bool Equals(TensorInfo? other) => other is not null && Type == other.Type && Shape.SequenceEqual(other.Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => Shape.Aggregate((int)Type, HashCode.Combine);

    /// <inheritdoc/>
    public override string ToString() => $"{Type} [{string.Join(", ", Shape)}]";
}
