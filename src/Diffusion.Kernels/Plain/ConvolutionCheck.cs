using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Whether libtorch's own convolution is right on this machine, found out by running it once for each configuration: in memory that held NaN, against float64 (<see cref="ConvolutionReference"/>). It takes
/// milliseconds, and neither the global generator nor gradients of the caller notice.
/// </summary>
internal static class ConvolutionCheck
{
    private const int MostImages = 4;
    private const int MostPixels = 32; // in height and width: larger images go through the same kernels
    private const int Times = 2;

    private static readonly ConcurrentDictionary<Configuration, Lazy<bool>> s_known = new();

    /// <summary>How many configurations were checked so far.</summary>
    internal static int Known => s_known.Count;

    /// <summary>Whether it is.</summary>
    /// <param name="input">Images whose size, type and memory layout count.</param>
    /// <param name="shape">Of the convolution; the kernel is larger than one pixel.</param>
    /// <param name="transposed">Whether it is a transposed one.</param>
    /// <param name="needed">What has to be right.</param>
    public static bool IsRight(Tensor input, in ConvolutionShape shape, bool transposed, ConvolutionResults needed)
    {
        var key = new Configuration(
            shape,
            transposed,
            needed,
            (int)Math.Clamp(input.size(0), 1, MostImages), // none are computed like one
            Bounded(input.size(2), shape),
            Bounded(input.size(3), shape),
            MemoryLayout.IsChannelsLast(input),
            input.dtype);
        return s_known.GetOrAdd(key, static key => new Lazy<bool>(() => Enumerable.Range(0, Times).All(key.IsRight))).Value;
    }

    /// <summary>A size with the same remainders.</summary>
    private static int Bounded(long size, in ConvolutionShape shape)
    {
        var period = 16L * shape.Stride;
        return (int)(size <= MostPixels + period ? size : MostPixels + ((size - MostPixels) % period));
    }

    private sealed record Configuration(ConvolutionShape Shape, bool Transposed, ConvolutionResults Needed, int Images, int Height, int Width, bool ChannelsLast, ScalarType Type)
    {
        public bool IsRight(int seed)
        {
            using var gradients = enable_grad();
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)seed, CPU);
            var withGradients = Needed != ConvolutionResults.Output;
            var input = Leaf(Draw(generator, Images, Shape.InChannels, Height, Width), Needed.HasFlag(ConvolutionResults.InputGradient), ChannelsLast);
            var (first, second) = Transposed ? (Shape.InChannels, Shape.OutChannels) : (Shape.OutChannels, Shape.InChannels);
            var ofParameters = Needed.HasFlag(ConvolutionResults.ParameterGradients);
            var weight = Leaf(Draw(generator, first, second, Shape.Kernel, Shape.Kernel), ofParameters);
            var bias = Leaf(Draw(generator, Shape.OutChannels), ofParameters);
            var (height, width) = Transposed ? (Shape.TransposedOutputSize(Height), Shape.TransposedOutputSize(Width)) : (Shape.OutputSize(Height), Shape.OutputSize(Width));
            var direction = MemoryLayout.Dense(Draw(generator, Images, Shape.OutChannels, height, width), ChannelsLast);

            var bytes = input.element_size();
            MemoryPoison.Fill(
                bytes * Images * ChannelPadding.Round(Shape.InChannels) * Height * Width,
                bytes * Images * ChannelPadding.Round(Shape.OutChannels) * height * width,
                bytes * ChannelPadding.Round(Shape.InChannels) * ChannelPadding.Round(Shape.OutChannels) * Shape.Kernel * Shape.Kernel);
            var output = LibtorchConvolution.Run(input, weight, bias, Shape, Transposed);
            if (withGradients)
            {
                output.backward([direction]);
            }

            using var noGradients = no_grad();
            var reference = ConvolutionReference.Run(Wide(input), Wide(weight), Wide(bias), Wide(direction), Shape, Transposed);
            var terms = (double)Images * height * width;
            return IsSmall(output, reference.Output)
                && (!Needed.HasFlag(ConvolutionResults.InputGradient) || IsSmall(input.grad!, reference.InputGradient))
                && (!ofParameters || (IsSmall(weight.grad!, reference.WeightGradient, Math.Sqrt(Transposed ? (double)Images * Height * Width : terms)) && IsSmall(bias.grad!, reference.BiasGradient, Math.Sqrt(terms))));
        }

        private bool IsSmall(Tensor actual, Tensor reference, double typical = 0) => KernelComparison.Error(actual.detach(), reference, typical) <= KernelComparison.Tolerance(Type);

        private Tensor Draw(Generator generator, params long[] shape) => randn(shape, dtype: ScalarType.Float32, generator: generator).to(Type);

        private static Tensor Leaf(Tensor values, bool requiresGradient, bool channelsLast = false) => (values.dim() == 4 ? MemoryLayout.Dense(values, channelsLast) : values).requires_grad_(requiresGradient);

        private static Tensor Wide(Tensor values) => values.detach().to(ScalarType.Float64);
    }
}
