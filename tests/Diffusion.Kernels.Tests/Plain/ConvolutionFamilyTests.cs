using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>The check of a convolution with convolutions that are right, and with such that are wrong in one thing.</summary>
public sealed class ConvolutionFamilyTests
{
    private const int NativeValues = 20_480; // libtorch's own limit

    private readonly List<(int Images, long Height, long Width)> _seen = [];

    /// <summary>Input and output channels, kernel, stride, padding, whether transposed.</summary>
    public static TheoryData<int, int, int, int, int, bool> Shapes { get; } = new()
    {
        { 3, 64, 3, 1, 1, false }, { 64, 3, 3, 1, 1, false }, { 1, 5, 3, 2, 1, false }, { 48, 20, 3, 2, 1, false }, { 5, 3, 4, 2, 1, true }, { 3, 20, 16, 16, 0, false }, { 1, 1, 2, 3, 0, true }, { 3, 7, 3, 4, 1, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IsRight_OfFloat64RoundedToTheType_IsTrue(int inChannels, int outChannels, int kernel, int stride, int padding, bool transposed)
    {
        foreach (var family in Families(inChannels, outChannels, kernel, stride, padding, transposed))
        {
            Assert.True(family.IsRight(Right), $"{family}");
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IsRight_LastOutputChannelIsNaN_IsFalse(int inChannels, int outChannels, int kernel, int stride, int padding, bool transposed)
    {
        foreach (var family in Families(inChannels, outChannels, kernel, stride, padding, transposed))
        {
            Assert.False(family.IsRight(LastChannelIsNaN), $"{family}");
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IsRight_InputGradientOfLargeImagesIsWrong_IsFalseWhereItIsNeeded(int inChannels, int outChannels, int kernel, int stride, int padding, bool transposed)
    {
        foreach (var family in Families(inChannels, outChannels, kernel, stride, padding, transposed))
        {
            Assert.Equal(!family.Needed.HasFlag(ConvolutionResults.InputGradient), family.IsRight(InputGradientOfLargeImagesIsWrong));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IsRight_WeightGradientIsOffByOnePercent_IsFalseWhereItIsNeeded(int inChannels, int outChannels, int kernel, int stride, int padding, bool transposed)
    {
        foreach (var family in Families(inChannels, outChannels, kernel, stride, padding, transposed).Where(family => family.Type == ScalarType.Float32)) // in bfloat16 it is rounding
        {
            Assert.Equal(!family.Needed.HasFlag(ConvolutionResults.ParameterGradients), family.IsRight(WeightGradientIsOff));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IsRight_AnyShape_TriesTheSizesOfEachRouteOfLibtorch(int inChannels, int outChannels, int kernel, int stride, int padding, bool transposed)
    {
        var family = new ConvolutionFamily(new(inChannels, outChannels, kernel, stride, padding), transposed, ConvolutionResults.Output, ChannelsLast: false, ScalarType.Float32);

        Assert.True(family.IsRight(Seeing));

        Assert.Contains(_seen, size => size.Images == 1 && inChannels * size.Height * size.Width > NativeValues && size.Height == size.Width && size.Height % 2 == 1);
        Assert.Contains(_seen, size => size.Images == 1 && (kernel > 3 || inChannels * size.Height * size.Width <= NativeValues));
        Assert.Contains(_seen, size => size.Images > 1 && size.Height == Math.Max(7, transposed ? 1 : kernel));
        Assert.Contains(_seen, size => size.Images > 1 && Math.Min(size.Height, size.Width) >= 14 && size.Height != size.Width);
        Assert.All(_seen.CountBy(size => size), pair => Assert.Equal(2, pair.Value));
    }

    [Theory]
    [InlineData(2000, 2000)] // weights of 144 MB
    [InlineData(1, 4000)] // an output of 336 MB
    public void IsRight_TooMuchToCompute_IsFalseAtOnce(int inChannels, int outChannels)
    {
        var family = new ConvolutionFamily(new(inChannels, outChannels, 3, 1, 1), Transposed: false, ConvolutionResults.All, ChannelsLast: false, ScalarType.Float32);

        Assert.False(family.IsRight(Seeing));

        Assert.Empty(_seen);
    }

    [Fact]
    public void IsRight_TheConvolutionThrows_ThrowsThat()
    {
        var family = new ConvolutionFamily(new(3, 5, 3, 1, 1), Transposed: false, ConvolutionResults.All, ChannelsLast: false, ScalarType.Float32);

        Assert.Throws<InvalidDataException>(() => family.IsRight((Tensor _, Tensor _, Tensor? _, in ConvolutionShape _, bool _) => throw new InvalidDataException()));
    }

    private static IEnumerable<ConvolutionFamily> Families(int inChannels, int outChannels, int kernel, int stride, int padding, bool transposed) =>
        from type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16]
        from needed in (ConvolutionResults[])[ConvolutionResults.Output, ConvolutionResults.Output | ConvolutionResults.ParameterGradients, ConvolutionResults.All]
        from channelsLast in (bool[])[false, true]
        select new ConvolutionFamily(new(inChannels, outChannels, kernel, stride, padding), transposed, needed, channelsLast, type);

    private static Tensor Right(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed) =>
        LibtorchConvolution.Run(input.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias?.to(ScalarType.Float64), shape, transposed).to(input.dtype);

    private static Tensor LastChannelIsNaN(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed)
    {
        var output = Right(input, weight, bias, shape, transposed);
        return cat([output.narrow(1, 0, shape.OutChannels - 1), output.narrow(1, shape.OutChannels - 1, 1) * double.NaN], 1);
    }

    private static Tensor InputGradientOfLargeImagesIsWrong(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed)
    {
        var output = Right(input, weight, bias, shape, transposed);
        return input.numel() / input.size(0) > NativeValues ? output + (input - input.detach()).sum() : output; // + 0, whose gradient is not
    }

    private static Tensor WeightGradientIsOff(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed) =>
        Right(input, weight + (0.01 * (weight - weight.detach())), bias, shape, transposed);

    private Tensor Seeing(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed)
    {
        _seen.Add(((int)input.size(0), input.size(2), input.size(3)));
        return Right(input, weight, bias, shape, transposed);
    }
}
