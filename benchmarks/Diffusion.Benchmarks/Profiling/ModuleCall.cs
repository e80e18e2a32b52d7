using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>One call of a part of a network.</summary>
/// <param name="Name">Its name in the network.</param>
/// <param name="Module">The part.</param>
/// <param name="Inputs">What its inputs are like.</param>
/// <param name="Depth">How many calls it lies within; 0 for those that the network makes itself.</param>
/// <param name="Seconds">What it took, calls within it included.</param>
/// <param name="IsLeaf">Whether it calls no other part.</param>
internal sealed record ModuleCall(string Name, nn.Module Module, IReadOnlyList<TensorLayout> Inputs, int Depth, double Seconds, bool IsLeaf)
{
    /// <summary>The block of the network: <c>down.0</c>, <c>mid.1</c>, <c>conv_in</c>.</summary>
    public string Block => Name.Split('.') is [var first, var second, ..] && int.TryParse(second, out _) ? $"{first}.{second}" : Name.Split('.')[0];

    /// <summary>Runs the part again.</summary>
    public Tensor Call(IReadOnlyList<Tensor> inputs) => Module switch
    {
        nn.Module<Tensor, Tensor> one => one.call(inputs[0]),
        nn.Module<Tensor, Tensor, Tensor> two => two.call(inputs[0], inputs[1]),
        _ => throw new NotSupportedException($"{Name} takes other inputs than one or two tensors."),
    };
}
