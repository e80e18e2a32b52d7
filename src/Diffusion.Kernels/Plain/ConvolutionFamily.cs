using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Convolutions that differ in nothing but the number and the size of images, which are right together or not at all.</summary>
/// <param name="Shape">Of the convolution; the kernel is larger than one pixel.</param>
/// <param name="Transposed">Whether it is a transposed one.</param>
/// <param name="Needed">What has to be right.</param>
/// <param name="ChannelsLast">The order of the images in memory.</param>
/// <param name="Type">Of all tensors.</param>
internal sealed record ConvolutionFamily(ConvolutionShape Shape, bool Transposed, ConvolutionResults Needed, bool ChannelsLast, ScalarType Type)
{
    /// <summary>A convolution: input, weight, bias, shape, and whether it is transposed.</summary>
    public delegate Tensor Convolution(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed);

    private const int Times = 2;
    private const long NativeValues = 20_480; // libtorch computes float32 of one image with at most so many values, and kernels of up to 3×3, without oneDNN
    private const long ManyWeights = 1L << 18;
    private const long MaxWeights = 1L << 21; // a second or so
    private const long MaxOutputs = 1L << 23; // of one image, 32 MB
    private const double Typical = 0.5; // rms of outputs and input gradients, which few terms may make smaller by chance

    /// <summary>
    /// Sizes that libtorch's routes for the family take: the smallest images; one small image; one of more than <see cref="NativeValues"/> values; a few of 7×7; a few that are larger and not square.
    /// </summary>
    public IEnumerable<(int Images, int Height, int Width)> Sizes
    {
        get
        {
            var smallest = Smallest;
            var small = (int)Math.Clamp(Math.Sqrt((double)NativeValues / Shape.InChannels), 1, 8);
            yield return (2, smallest, smallest);
            yield return (1, Math.Max(smallest, small), Math.Max(smallest, small));
            yield return (1, Large, Large);
            yield return (3, Math.Max(smallest, 7), Math.Max(smallest, 7));
            yield return (2, Math.Max(smallest, Weights <= ManyWeights ? 14 : 4), Math.Max(smallest, 14) + 4);
        }
    }

    /// <summary>
    /// Whether a convolution gives what float64 does (<see cref="ConvolutionReference"/>), for every size, twice, in memory that held NaN: which makes a fault likely to show, not certain. Not where there are so
    /// many weights or outputs that the check would be long.
    /// </summary>
    public bool IsRight(Convolution convolution) =>
        Weights <= MaxWeights
        && Shape.OutChannels * OutputSize(Large) * OutputSize(Large) <= MaxOutputs
        && Enumerable.Range(0, Times).All(seed => Sizes.All(size => IsRight(convolution, seed, size.Images, size.Height, size.Width)));

    private long Weights => (long)Shape.InChannels * Shape.OutChannels * Shape.Kernel * Shape.Kernel;

    /// <summary>The smallest image that has an output; in bfloat16 also one that every part of the kernel meets, as others are computed in float32 (<see cref="PlainConvolution"/>).</summary>
    private int Smallest
    {
        get
        {
            var size = 1;
            while (OutputSize(size) < 1 || (!Transposed && size + (2 * Shape.Padding) < Shape.Kernel) || (Type == ScalarType.BFloat16 && Shape.SeesOnlyPadding(size, Transposed)))
            {
                size++;
            }

            return size;
        }
    }

    /// <summary>An odd size of more than <see cref="NativeValues"/> values.</summary>
    private int Large => Math.Max(Smallest, (int)Math.Sqrt((double)NativeValues / Shape.InChannels) + 1) | 1;

    private long OutputSize(long size) => Transposed ? Shape.TransposedOutputSize(size) : Shape.OutputSize(size);

    private bool IsRight(Convolution convolution, int seed, int images, int height, int width)
    {
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var ofParameters = Needed.HasFlag(ConvolutionResults.ParameterGradients);
        var (first, second) = Transposed ? (Shape.InChannels, Shape.OutChannels) : (Shape.OutChannels, Shape.InChannels);
        var input = MemoryLayout.Dense(Draw(generator, images, Shape.InChannels, height, width), ChannelsLast).requires_grad_(Needed.HasFlag(ConvolutionResults.InputGradient));
        var weight = Draw(generator, first, second, Shape.Kernel, Shape.Kernel).requires_grad_(ofParameters);
        var bias = Draw(generator, Shape.OutChannels).requires_grad_(ofParameters);
        var (outputHeight, outputWidth) = (OutputSize(height), OutputSize(width));
        var direction = Needed == ConvolutionResults.Output ? null : MemoryLayout.Dense(Draw(generator, images, Shape.OutChannels, outputHeight, outputWidth), ChannelsLast);

        var bytes = input.element_size();
        MemoryPoison.Fill(
            bytes * images * ChannelPadding.Round(Shape.InChannels) * height * width,
            bytes * images * ChannelPadding.Round(Shape.OutChannels) * outputHeight * outputWidth,
            bytes * ChannelPadding.Round(Shape.InChannels) * ChannelPadding.Round(Shape.OutChannels) * Shape.Kernel * Shape.Kernel);
        var output = convolution(input, weight, bias, Shape, Transposed);
        if (direction is null)
        {
            return IsSmall(output, ConvolutionReference.Output(Wide(input), Wide(weight), Wide(bias), Shape, Transposed), Typical);
        }

        output.backward([direction]);
        using var noGradients = no_grad();
        var reference = ConvolutionReference.Run(Wide(input), Wide(weight), Wide(bias), Wide(direction), Shape, Transposed);
        var places = Math.Sqrt((double)images * outputHeight * outputWidth);
        return IsSmall(output, reference.Output, Typical)
            && (!Needed.HasFlag(ConvolutionResults.InputGradient) || IsSmall(input.grad!, reference.InputGradient, Typical))
            && (!ofParameters || (IsSmall(weight.grad!, reference.WeightGradient, Transposed ? Math.Sqrt((double)images * height * width) : places) && IsSmall(bias.grad!, reference.BiasGradient, places)));
    }

    private bool IsSmall(Tensor actual, Tensor reference, double typical) => KernelComparison.Error(actual.detach(), reference, typical) <= KernelComparison.Tolerance(Type);

    private Tensor Draw(Generator generator, params long[] shape) => randn(shape, dtype: ScalarType.Float32, generator: generator).to(Type);

    private static Tensor Wide(Tensor values) => values.detach().to(ScalarType.Float64);
}
