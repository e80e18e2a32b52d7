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

    /// <summary>Where a part of a slope from 0 to 1 begins, and how wide it is, from values away from the border, which a filter bends.</summary>
    private static (double Start, double Width) Part(Tensor line)
    {
        var values = line.contiguous().data<float>().ToArray();
        var step = (values[^4] - values[3]) / (values.Length - 7.0);
        return (values[3] - (3.5 * step), step * values.Length);
    }
}
