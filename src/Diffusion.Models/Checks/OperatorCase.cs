using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// An operation other than a convolution: its result in a narrow type and the gradients with respect to every argument are compared with those of
/// a formula in float64.
/// </summary>
/// <param name="Name">The operation and its shapes.</param>
/// <param name="Type">The type of the arguments.</param>
/// <param name="Shapes">The shapes of the arguments.</param>
/// <param name="Operation">What is checked.</param>
/// <param name="Formula">What it should be, from elementary operations.</param>
internal sealed record OperatorCase(
    string Name, ScalarType Type, long[][] Shapes, Func<Tensor[], Tensor> Operation, Func<Tensor[], Tensor> Formula)
{
    /// <summary>The type of the arguments after the first, where it is another one: parameters of a layer in mixed precision.</summary>
    public ScalarType? ParameterType { get; init; }

    /// <summary>What is wrong; empty where nothing is.</summary>
    public IReadOnlyList<KernelFailure> Failures(long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var arguments = Shapes.Select((shape, i) => randn(shape, dtype: ScalarType.Float32, generator: generator).to(i == 0 ? Type : ParameterType ?? Type).requires_grad_(true)).ToArray();
        var exact = arguments.Select(argument => argument.detach().to(ScalarType.Float64).requires_grad_(true)).ToArray();
        var reference = Formula(exact);
        var direction = randn(reference.shape, dtype: ScalarType.Float32, generator: generator).to(Type);
        reference.backward([direction.to(ScalarType.Float64)]);

        MemoryPoison.Fill([.. Shapes.Append(reference.shape).Select(shape => sizeof(float) * shape.Aggregate(1L, (product, size) => product * size))]);
        var result = Operation(arguments);
        result.backward([direction]);
        return
        [
            .. KernelFailure.Among(
                ToString(),
                Type,
                arguments.Select((argument, i) => ($"gradient {i + 1}", KernelComparison.Error(argument.grad!, exact[i].grad!)))
                    .Prepend(("output", KernelComparison.Error(result.detach(), reference.detach())))),
        ];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}, {Type}{(ParameterType is { } parameters ? $" with {parameters} parameters" : "")}";
}
