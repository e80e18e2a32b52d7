using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class RandomResizedCropTests
{
    /// <summary>A slope keeps its slope under resizing, so it tells where a part began and how large it was.</summary>
    [Fact]
    public void Apply_ManySeeds_CutsPartsOfTheAreaAskedForInsideTheImage()
    {
        using var scope = NewDisposeScope();
        const int size = 60;
        var across = arange(size).add(0.5).div(size).to(ScalarType.Float32).view(1, 1, size).expand(1, size, size);
        var down = across.transpose(1, 2);
        var crop = new RandomResizedCrop(10, 10, 0.25, 0.64);
        List<double> shares = [], places = [];
        for (var seed = 0; seed < 500; seed++)
        {
            var (left, width) = Part(crop.Apply(across, new SeededRandom(seed))[0, 5]);
            var (top, height) = Part(crop.Apply(down, new SeededRandom(seed))[0, TensorIndex.Colon, 5]);
            Assert.Equal(width, height, 0.01);
            Assert.InRange(width, 0.49, 0.81);
            Assert.True(left > -0.01 && left + width < 1.01 && top > -0.01 && top + height < 1.01, $"{left} {top} {width}");
            shares.Add(width * width);
            places.Add(left / (1 - width));
        }

        Assert.Equal(0.445, shares.Average(), 0.02); // even in the area
        Assert.Equal(0.5, places.Average(), 0.06);
        Assert.InRange(places.Min(), -0.05, 0.05);
        Assert.InRange(places.Max(), 0.95, 1.05);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ApplyPlain_LargerImage_IsTheResizeOfPixelImage(int channels)
    {
        var original = TestImages.Noise(40, 31, channels, 3);
        using var scope = NewDisposeScope();
        var plain = new RandomResizedCrop(13, 11).ApplyPlain(original.ToTensor()[0]);
        TestImages.AssertEqual(original.Resize(11, 13), PixelImage.FromTensor(plain), tolerance: 1);
    }

    [Fact]
    public void Apply_EdgeThatACubicOvershoots_StaysInRange()
    {
        using var scope = NewDisposeScope();
        var image = TestImages.From(9, 9, 1, (x, _, _) => (byte)(x < 4 ? 0 : 255)).ToTensor()[0];
        var enlarged = new RandomResizedCrop(31, 31).ApplyPlain(image);
        Assert.Equal((-1f, 1f), (enlarged.min().item<float>(), enlarged.max().item<float>()));
    }

    /// <summary>Latents have no range, and other sources one of their own.</summary>
    [Fact]
    public void Read_SourceWithARangeOfItsOwn_StaysInThat()
    {
        using var scope = NewDisposeScope();
        var edge = zeros(1, 1, 9, 9);
        edge.narrow(3, 4, 5).fill_(1);
        Assert.Equal((0f, 1f), Ends(new GivenImages(edge, (0, 1))));
        var (min, max) = Ends(new GivenImages(edge * 4, null));
        Assert.True(min < -0.01 && max > 4.01, $"{min} {max}"); // a cubic goes beyond an edge

        static (float Min, float Max) Ends(GivenImages source)
        {
            using var images = new AugmentedImages(source, new RandomResizedCrop(31, 31));
            using var batch = images.Read([0], [1]);
            return (batch.Images.min().item<float>(), batch.Images.max().item<float>());
        }
    }

    /// <summary>What is clamped or read as other numbers would not be noticed any more.</summary>
    [Fact]
    public void Read_SourceThatDoesNotGiveWhatItDeclares_IsNamed()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("'given' gave values in [0, 255]", Message(zeros(1, 1, 9, 9).index_fill(3, tensor([2L]), 255)), StringComparison.Ordinal);
        Assert.Contains("'given' gave images of type Float64", Message(zeros(1, 1, 9, 9, ScalarType.Float64)), StringComparison.Ordinal);
        Assert.Contains("'given' gave images of type Byte", Message(zeros(1, 1, 9, 9, ScalarType.Byte)), StringComparison.Ordinal);

        static string Message(Tensor images)
        {
            using var augmented = new AugmentedImages(new GivenImages(images, (-1, 1)), new RandomResizedCrop(4, 4));
            return Assert.Throws<InvalidDataException>(() => augmented.Read([0])).Message;
        }
    }

    private sealed class GivenImages(Tensor images, (double Min, double Max)? range) : IImageSource
    {
        public string Name => "given";

        public int Count => (int)images.shape[0];

        public int Classes => 0;

        public ImageShape Shape => new((int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);

        public (double Min, double Max)? Range => range;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(images[tensor(indices.ToArray())].clone().DetachFromDisposeScope());

        public void Dispose()
        {
        }
    }

    /// <summary>Where a part of a slope from 0 to 1 begins, and how wide it is, from values away from the border, which a filter bends.</summary>
    private static (double Start, double Width) Part(Tensor line)
    {
        var values = line.contiguous().data<float>().ToArray();
        var step = (values[^4] - values[3]) / (values.Length - 7.0);
        return (values[3] - (3.5 * step), step * values.Length);
    }
}
