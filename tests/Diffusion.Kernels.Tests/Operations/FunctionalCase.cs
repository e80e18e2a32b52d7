using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>An operation of <see cref="Functional"/> with a choice of layers, and what it should be.</summary>
/// <param name="Name">What it is called in the list of tests.</param>
/// <param name="Inputs">The shapes of what has the type of activations, for so many images of a height and a width.</param>
/// <param name="Layers">Draws what is float32 in any precision: parameters, and what is added.</param>
/// <param name="Run">The operation, of inputs and what the layers gave.</param>
/// <param name="Formula">The same in operations of libtorch, in float64.</param>
internal sealed record FunctionalCase(
    string Name, Func<int, int, int, long[][]> Inputs, Func<Parameters, int, Tensor[]> Layers, Func<Tensor[], Tensor> Run, Func<Tensor[], Tensor> Formula)
{
    /// <summary>How many times the tolerance of one layer: several layers in a row round as often.</summary>
    public int Roundings { get; init; } = 1;

    /// <summary>Whether, where there are tiles, libtorch computes nothing whose bits depend on the number of threads.</summary>
    public bool OnTiles { get; init; }

    /// <summary>Whether numbers of the square of all pixels are computed: in float64 that takes seconds of large images.</summary>
    public bool Attends { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
