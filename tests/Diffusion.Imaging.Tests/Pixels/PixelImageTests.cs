using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class PixelImageTests
{
    [Theory]
    [InlineData(0, 1, 1, 0)]
    [InlineData(1, 0, 1, 0)]
    [InlineData(2, 2, 2, 8)]
    [InlineData(2, 2, 3, 11)]
    [InlineData(65536, 65536, 1, 0)]
    public void Constructor_ImpossibleImage_Throws(int width, int height, int channels, int length)
        => Assert.ThrowsAny<ArgumentException>(() => new PixelImage(width, height, channels, new byte[length]));

    [Fact]
    public void WithChannels_Rgb_WeighsByBt601()
    {
        var rgb = new PixelImage(4, 1, 3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 100, 200]);
        Assert.Equal([76, 150, 29, 84], rgb.WithChannels(1).Pixels.ToArray()); // 76.245, 149.685, 29.07, 84.49
    }

    [Fact]
    public void WithChannels_GreyThereAndBack_ChangesNothing()
    {
        var grey = TestImages.From(256, 1, 1, (x, _, _) => (byte)x);
        TestImages.AssertEqual(grey, grey.WithChannels(3).WithChannels(1));
        Assert.Equal([7, 7, 7], grey.WithChannels(3).Pixels.Slice(21, 3).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => grey.WithChannels(4));
    }

    [Fact]
    public void ToTensor_AllBytes_ComeBackExactly()
    {
        var image = TestImages.From(32, 24, 3, (x, y, c) => (byte)((x * 24) + y + (85 * c)));
        using var tensor = image.ToTensor();
        Assert.Equal([1, 3, 24, 32], tensor.shape);
        Assert.Equal((image.Pixels[(((5 * 32) + 7) * 3) + 2] / 127.5f) - 1, tensor[0, 2, 5, 7].item<float>());
        TestImages.AssertEqual(image, PixelImage.FromTensor(tensor));
        TestImages.AssertEqual(image, PixelImage.FromTensor(tensor[0]));
    }

    [Fact]
    public void FromTensor_OtherShape_SaysWhichIsNeeded()
    {
        using var two = zeros(2, 1, 4, 4);
        Assert.Contains("[2, 1, 4, 4]", Assert.Throws<ArgumentException>(() => PixelImage.FromTensor(two)).Message);
        using var flat = zeros(4, 4);
        Assert.Contains("[C, H, W]", Assert.Throws<ArgumentException>(() => PixelImage.FromTensor(flat)).Message);
    }

    [Fact]
    public void ToTensor_AndBack_LeaksNoTensor()
    {
        var image = TestImages.Noise(5, 4, 3);
        Leaks.AssertNone(() =>
        {
            using var tensor = image.ToTensor();
            PixelImage.FromTensor(tensor);
        });
    }
}
