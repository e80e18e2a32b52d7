namespace Diffusion.Imaging.Tests;

public sealed class ResizeTests
{
    /// <summary>Scaled row by row, 512 rows of 12 MB of floats would be 6 GB.</summary>
    [Theory]
    [InlineData(1_000_000, 20)]
    [InlineData(20, 1_000_000)]
    [InlineData(1_000_000, 1)]
    [InlineData(1, 1_000_000)]
    public void Resize_VeryLongImage_TakesLittleMemory(int width, int height)
    {
        var pixels = new byte[width * height];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)(((i % width) + (i / width)) % 2 * 200);
        }

        var image = new PixelImage(width, height, 1, pixels);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = image.Resize(512, 512, ImageFit.Stretch);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400L << 20);
        Assert.Equal((512, 512), (result.Width, result.Height));
        Assert.InRange(result.Pixels.ToArray().Average(value => (double)value), 99, 101);
    }

    [Theory]
    [InlineData(1_000_001, 1)]
    [InlineData(1, 1_000_001)]
    [InlineData(30_000, 30_000)]
    public void Resize_ToMoreThanAnImageMayHave_NamesTheLimit(int width, int height)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => TestImages.Noise(2, 2, 1).Resize(width, height));
        Assert.Contains(Math.Max(width, height) > 1_000_000 ? "1000000" : "536870912", error.Message);
        Assert.Throws<ArgumentException>(() => ImageFolder.Open(".", new ImageFolderOptions { Width = width, Height = height }));
    }

    /// <summary>Along the rows first, where that takes less memory.</summary>
    [Theory]
    [InlineData(41, 3, 5, 17)]
    [InlineData(30, 40, 29, 3)]
    [InlineData(30, 40, 7, 90)]
    public void Resize_InTheOtherOrder_GivesTheSame(int width, int height, int newWidth, int newHeight)
    {
        var image = TestImages.Noise(width, height, 3);
        var other = Resampler.ResizePart(image, 0, 0, width, height, newWidth, newHeight, strips: 0);
        TestImages.AssertEqual(Reference(image, newWidth, newHeight, ImageFit.Stretch), other, tolerance: 1);
    }

    [Theory]
    [InlineData(64, 64, 1, 8, 8)]
    [InlineData(257, 131, 1, 16, 8)]
    [InlineData(512, 512, 2, 32, 32)]
    [InlineData(100, 100, 1, 28, 28)]
    public void Resize_FineCheckerboardMadeSmaller_IsUniformGrey(int width, int height, int square, int newWidth, int newHeight)
    {
        var board = TestImages.From(width, height, 1, (x, y, _) => (byte)((((x / square) + (y / square)) & 1) * 255));
        var small = board.Resize(newWidth, newHeight, ImageFit.Stretch);
        for (var y = 1; y < newHeight - 1; y++) // the kernel of the outermost pixels is cut off, which unbalances black and white
        {
            for (var x = 1; x < newWidth - 1; x++)
            {
                Assert.InRange(small.Pixels[(y * newWidth) + x], 125, 130);
            }
        }

        foreach (var value in small.Pixels)
        {
            Assert.InRange(value, 115, 140);
        }
    }

    [Theory]
    [InlineData(7, 5, 3, 28, 28, ImageFit.CropToFill)]
    [InlineData(640, 1, 1, 13, 9, ImageFit.CropToFill)]
    [InlineData(1, 1, 3, 5, 3, ImageFit.Stretch)]
    [InlineData(33, 77, 1, 77, 33, ImageFit.Stretch)]
    [InlineData(1000, 3, 3, 1, 1, ImageFit.CropToFill)]
    public void Resize_Constant_StaysConstant(int width, int height, int channels, int newWidth, int newHeight, ImageFit fit)
    {
        var result = TestImages.Constant(width, height, channels, 201).Resize(newWidth, newHeight, fit);
        TestImages.AssertEqual(TestImages.Constant(newWidth, newHeight, channels, 201), result);
    }

    [Theory]
    [InlineData(37, 23, 3, 28, 28, ImageFit.Stretch)]
    [InlineData(37, 23, 3, 28, 28, ImageFit.CropToFill)]
    [InlineData(23, 37, 1, 9, 11, ImageFit.CropToFill)]
    [InlineData(9, 11, 3, 40, 31, ImageFit.CropToFill)]
    [InlineData(9, 11, 1, 40, 31, ImageFit.Stretch)]
    [InlineData(12, 90, 1, 6, 6, ImageFit.CropToFill)]
    public void Resize_Noise_IsTheWeightedMeanWrittenOut(int width, int height, int channels, int newWidth, int newHeight, ImageFit fit)
    {
        var image = TestImages.Noise(width, height, channels);
        TestImages.AssertEqual(Reference(image, newWidth, newHeight, fit), image.Resize(newWidth, newHeight, fit), tolerance: 1);
    }

    [Fact]
    public void Resize_RampMadeLarger_StaysARamp()
    {
        var ramp = TestImages.From(16, 1, 1, (x, _, _) => (byte)(10 + (12 * x)));
        var large = ramp.Resize(64, 1, ImageFit.Stretch);
        for (var x = 12; x < 52; x++) // the cubic reproduces straight lines away from the edges
        {
            Assert.InRange(large.Pixels[x] - (10 + (12 * (((x + 0.5) / 4) - 0.5))), -0.51, 0.51);
        }
    }

    [Fact]
    public void Resize_CropToFill_KeepsTheMiddle()
    {
        var bars = TestImages.From(30, 10, 1, (x, _, _) => (byte)(x / 10 * 100));
        Assert.Equal(100, bars.Resize(10, 10).Pixels[55]);
        Assert.InRange(bars.Resize(5, 5).Pixels[12], 99, 101);
        var stretched = bars.Resize(3, 3, ImageFit.Stretch).Pixels;
        Assert.True(stretched[3] < 20 && Math.Abs(stretched[4] - 100) < 5 && stretched[5] > 180);
    }

    [Fact]
    public void Resize_SameSize_IsTheSameImage()
    {
        var image = TestImages.Noise(13, 7, 3);
        Assert.Same(image, image.Resize(13, 7, ImageFit.Stretch));
        TestImages.AssertEqual(image, Resampler.Resize(image, 13, 7, ImageFit.CropToFill));
    }

    [Fact]
    public void Resize_ImpossibleSize_Throws()
    {
        var image = TestImages.Constant(2, 2, 1, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Resize(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Resize(1, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Resize(1, 1, (ImageFit)7));
    }

    /// <summary>The two-dimensional sum over every source pixel, in float64, with the kernel as the paper writes it.</summary>
    private static PixelImage Reference(PixelImage image, int width, int height, ImageFit fit)
    {
        double scaleX = (double)image.Width / width, scaleY = (double)image.Height / height;
        if (fit == ImageFit.CropToFill)
        {
            scaleX = scaleY = Math.Min(scaleX, scaleY);
        }

        double left = (image.Width - (width * scaleX)) / 2, top = (image.Height - (height * scaleY)) / 2;
        return TestImages.From(width, height, image.Channels, (x, y, c) =>
        {
            double sum = 0, total = 0;
            for (var row = 0; row < image.Height; row++)
            {
                for (var column = 0; column < image.Width; column++)
                {
                    var weight = Kernel((column + 0.5 - left - ((x + 0.5) * scaleX)) / Math.Max(scaleX, 1))
                        * Kernel((row + 0.5 - top - ((y + 0.5) * scaleY)) / Math.Max(scaleY, 1));
                    (sum, total) = (sum + (weight * image.Pixels[(((row * image.Width) + column) * image.Channels) + c]), total + weight);
                }
            }

            return (byte)Math.Clamp(Math.Round(sum / total), 0, 255);
        });
    }

    private static double Kernel(double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return x <= 1 ? ((a + 2) * Math.Pow(x, 3)) - ((a + 3) * x * x) + 1
            : x < 2 ? (a * Math.Pow(x, 3)) - (5 * a * x * x) + (8 * a * x) - (4 * a)
            : 0;
    }
}
