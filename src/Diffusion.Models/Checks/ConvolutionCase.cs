using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>One configuration of a convolution, to be compared with float64 in its output, with and without gradients, and in every gradient.</summary>
internal sealed record ConvolutionCase(
    bool Transposed, int Kernel, int Stride, int Padding, int InChannels, int OutChannels, int Height, int Width, int Batch, bool ChannelsLast, ScalarType Type)
{
    /// <summary>
    /// Whether libtorch's own convolution may be run at all: at 1×1 with stride 2 it writes beyond its memory, and the process aborts,
    /// then or later (docs/decisions/0003).
    /// </summary>
    public bool PlainIsSafe => Kernel > 1;

    /// <summary>Whether there is an output: a kernel may be larger than the image and its padding.</summary>
    public bool HasOutput => Edge(Height) > 0 && Edge(Width) > 0 && (Transposed || Math.Min(Height, Width) + (2 * Padding) >= Kernel);

    private ConvolutionShape Shape => new(InChannels, OutChannels, Kernel, Stride, Padding);

    /// <summary>The errors of this library's layer, with memory poisoned before.</summary>
    /// <param name="seed">What input, weight, bias and direction are drawn from.</param>
    /// <param name="plain">Whether libtorch's convolution is measured in place of the layer's.</param>
    public IReadOnlyList<(string Quantity, double Error)> Errors(long seed, bool plain = false)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var (edgeHeight, edgeWidth) = (Edge(Height), Edge(Width));
        var input = Leaf(Draw(generator, Batch, InChannels, Height, Width), ChannelsLast);
        var (first, second) = Transposed ? (InChannels, OutChannels) : (OutChannels, InChannels);
        var weight = Leaf(Draw(generator, first, second, Kernel, Kernel), channelsLast: false);
        var bias = Draw(generator, OutChannels).requires_grad_(true);
        var direction = MemoryLayout.Dense(Draw(generator, Batch, OutChannels, edgeHeight, edgeWidth), ChannelsLast);

        Poison(edgeHeight * edgeWidth);
        var output = Forward(input, weight, bias, plain);
        output.backward([direction]);

        using var gradients = no_grad();
        Poison(edgeHeight * edgeWidth);
        var alone = plain ? output : Forward(input, weight, bias, plain); // libtorch's is the same convolution
        var reference = ConvolutionReference.Run(
            input.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(ScalarType.Float64), direction.to(ScalarType.Float64), Shape, Transposed);
        var (weightTerms, biasTerms) = (Batch * (Transposed ? (long)Height * Width : edgeHeight * edgeWidth), Batch * edgeHeight * edgeWidth);
        return
        [
            ("output", KernelComparison.Error(output, reference.Output)),
            ("output without gradients", KernelComparison.Error(alone, reference.Output)),
            ("input gradient", KernelComparison.Error(input.grad!, reference.InputGradient)),
            ("weight gradient", KernelComparison.Error(weight.grad!, reference.WeightGradient, Math.Sqrt(weightTerms))),
            ("bias gradient", KernelComparison.Error(bias.grad!, reference.BiasGradient, Math.Sqrt(biasTerms))),
        ];
    }

    /// <summary>What is wrong with the layer, or with libtorch's convolution; empty where nothing is.</summary>
    public IReadOnlyList<KernelFailure> Failures(long seed, bool plain = false) =>
        [.. KernelFailure.Among(ToString(), Type, Errors(seed, plain))];

    /// <inheritdoc/>
    public override string ToString() =>
        $"{(Transposed ? "transposed convolution" : "convolution")} {Kernel}×{Kernel} stride {Stride} padding {Padding}, {InChannels}→{OutChannels} channels, "
        + $"{Batch}×{Height}×{Width}, {(ChannelsLast ? "channels-last" : "NCHW")}, {Type}";

    private long Edge(int size) => Transposed ? Shape.TransposedOutputSize(size) : Shape.OutputSize(size);

    private Tensor Forward(Tensor input, Tensor weight, Tensor bias, bool plain) =>
        plain ? LibtorchConvolution.Run(input, weight, bias, Shape, Transposed)
        : Transposed ? Functional.ConvTranspose2d(input, new(weight, bias, Shape))
        : Functional.Conv2d(input, new(weight, bias, Shape));

    /// <summary>The sizes of everything that the kernels make, with channels padded as oneDNN and as this library pad them, and of weights transformed for tiles of 6×6.</summary>
    private void Poison(long pixels)
    {
        var (inPadded, outPadded) = (ChannelPadding.Round(InChannels), ChannelPadding.Round(OutChannels));
        long images = sizeof(float) * (long)Batch * inPadded * Height * Width, results = sizeof(float) * Batch * outPadded * pixels;
        MemoryPoison.Fill(images, images / 2, results, results / 2, sizeof(float) * (long)inPadded * outPadded * Kernel * Kernel, sizeof(float) * 36L * inPadded * outPadded);
    }

    private Tensor Draw(Generator generator, params long[] shape) => randn(shape, dtype: ScalarType.Float32, generator: generator).to(Type);

    private static Tensor Leaf(Tensor values, bool channelsLast) => MemoryLayout.Dense(values, channelsLast).requires_grad_(true);
}
