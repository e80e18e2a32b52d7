using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The shape, type and order in memory of a tensor, without its values.</summary>
/// <param name="Shape">Its lengths.</param>
/// <param name="Order">Its dimensions, slowest first.</param>
/// <param name="Type">Its type.</param>
internal sealed record TensorLayout(long[] Shape, int[] Order, ScalarType Type)
{
    public static TensorLayout Of(Tensor tensor)
    {
        var strides = tensor.stride();
        return new(tensor.shape, [.. Enumerable.Range(0, strides.Length).OrderByDescending(dimension => strides[dimension])], tensor.dtype);
    }

    /// <summary>A tensor like it: normal values, or zeros where it holds whole numbers.</summary>
    public Tensor Create()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        long[] ordered = [.. Order.Select(dimension => Shape[dimension])];
        long[] back = [.. Enumerable.Range(0, Order.Length).Select(dimension => (long)Array.IndexOf(Order, dimension))];
        var dense = Type is ScalarType.Int64 ? zeros(ordered, Type) : randn(ordered, ScalarType.Float32, generator: generator).to(Type);
        return dense.permute(back).MoveToOuterDisposeScope();
    }

    public override string ToString() => $"{string.Join("×", Shape)} {string.Join(string.Empty, Order)} {Type}";
}
