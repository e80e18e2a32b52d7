using SkiaSharp;
using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class GifWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(17, 3)]
    [InlineData(300, 200)] // the code table fills and is cleared many times
    public void Complete_GreyFrames_DecodeExactly(int width, int height)
    {
        PixelImage[] frames =
        [
            TestImages.Noise(width, height, 1, 1),
            TestImages.Constant(width, height, 1, 200),
            TestImages.From(width, height, 1, (x, y, _) => (byte)(x + y)),
            TestImages.Noise(width, height, 1, 2),
        ];
        AssertFrames(frames, Write(frames));
    }

    [Fact]
    public void Complete_EveryLengthOfFrame_DecodesExactly()
    {
        // The end code must have the right width whichever number of codes comes before it.
        for (var width = 1; width < 1100; width += width is > 200 and < 300 or > 700 and < 800 ? 1 : 23)
        {
            PixelImage[] frames = [TestImages.Noise(width, 1, 1, width), TestImages.Constant(width, 1, 1, 3)];
            AssertFrames(frames, Write(frames));
        }
    }

    [Fact]
    public void Complete_RgbOfFewColours_DecodesExactly()
    {
        PixelImage[] frames =
        [
            TestImages.From(16, 16, 3, (x, y, c) => (byte)(c == 0 ? x * 17 : c == 1 ? y * 17 : 40)),
            TestImages.From(16, 16, 3, (x, y, c) => (byte)(c == 2 ? x * 17 : c == 1 ? y * 17 : 99)),
        ];
        AssertFrames(frames, Write(frames));
    }

    [Fact]
    public void Complete_RgbOfManyColours_StaysClose()
    {
        var frame = TestImages.From(64, 64, 3, (x, y, c) => (byte)(c == 0 ? x * 4 : c == 1 ? y * 4 : (x + y) * 2));
        var decoded = Write([frame]).Single();
        Assert.InRange(RootMeanSquare(frame, decoded), 1, 10);
        Assert.InRange(RootMeanSquare(frame.Resize(8, 8), decoded.Resize(8, 8)), 0, 1); // the eye's view: no bands
    }

    [Fact]
    public void Complete_DelaysAndLoops_AreInTheFile()
    {
        var path = _folder.File("a.gif");
        using (var gif = new GifWriter(path, TimeSpan.FromMilliseconds(40), loops: 3))
        {
            gif.Add(TestImages.Constant(2, 2, 1, 1));
            gif.Add(TestImages.Constant(2, 2, 1, 2), TimeSpan.FromSeconds(2));
            Assert.Equal(2, gif.Frames);
            gif.Complete();
        }

        using var codec = SKCodec.Create(path);
        Assert.Equal([40, 2000], codec.FrameInfo.Select(frame => frame.Duration));
        Assert.Equal(2, codec.RepetitionCount); // after the first showing
        Assert.Equal(-1, Loops(0));
        Assert.Equal(0, Loops(1));
    }

    [Fact]
    public void Add_Tensor_IsTheGrid()
    {
        using var images = arange(0, 8 * 9).to(ScalarType.Float32).reshape(8, 1, 3, 3).div(36).sub(1);
        using (var gif = new GifWriter(_folder.File("grid.gif"), TimeSpan.FromMilliseconds(100)))
        {
            gif.Add(images, columns: 4);
            gif.Complete();
        }

        AssertFrames([ImageGrid.Compose(images, 4)], Decode(_folder.File("grid.gif")));
    }

    [Fact]
    public void Dispose_WithoutComplete_LeavesNothing()
    {
        var path = _folder.File("a.gif");
        using (var gif = new GifWriter(path, TimeSpan.FromMilliseconds(100)))
        {
            gif.Add(TestImages.Noise(40, 40, 1));
            Assert.False(File.Exists(path));
        }

        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Complete_Done_LeavesOneFileAndTakesNoMore()
    {
        using var gif = new GifWriter(_folder.File("new/a.gif"), TimeSpan.FromMilliseconds(100));
        Assert.Contains("no frames", Assert.Throws<InvalidOperationException>(gif.Complete).Message);
        gif.Add(TestImages.Constant(4, 3, 1, 1));
        gif.Complete();
        Assert.Single(Directory.GetFiles(_folder.File("new")));
        Assert.Throws<InvalidOperationException>(gif.Complete);
        Assert.Throws<InvalidOperationException>(() => gif.Add(TestImages.Constant(4, 3, 1, 1)));
    }

    [Fact]
    public void Add_OtherSizeOrChannels_SaysBoth()
    {
        using var gif = new GifWriter(_folder.File("a.gif"), TimeSpan.FromMilliseconds(100));
        gif.Add(TestImages.Constant(4, 3, 1, 1));
        var message = Assert.Throws<ArgumentException>(() => gif.Add(TestImages.Constant(5, 3, 1, 1))).Message;
        Assert.Contains("1×3×5", message);
        Assert.Contains("1×3×4", message);
        Assert.Throws<ArgumentException>(() => gif.Add(TestImages.Constant(4, 3, 3, 1)));
        Assert.Throws<ArgumentException>(() => gif.Add(TestImages.Constant(65536, 1, 1, 1)));
        gif.Add(TestImages.Constant(4, 3, 1, 9)); // a refused frame does no harm
        gif.Complete();
        Assert.Equal(2, Decode(_folder.File("a.gif")).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(-100)]
    [InlineData(656_000)]
    public void Constructor_ImpossibleDelay_Throws(int milliseconds)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new GifWriter(_folder.File("a.gif"), TimeSpan.FromMilliseconds(milliseconds)));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private static double RootMeanSquare(PixelImage left, PixelImage right)
    {
        double squares = 0;
        for (var i = 0; i < left.Pixels.Length; i++)
        {
            squares += Math.Pow(left.Pixels[i] - right.Pixels[i], 2);
        }

        return Math.Sqrt(squares / left.Pixels.Length);
    }

    private int Loops(int loops)
    {
        var path = _folder.File("loops.gif");
        using (var gif = new GifWriter(path, TimeSpan.FromMilliseconds(40), loops))
        {
            gif.Add(TestImages.Constant(2, 2, 1, 1));
            gif.Add(TestImages.Constant(2, 2, 1, 2));
            gif.Complete();
        }

        using var codec = SKCodec.Create(path);
        Assert.Equal(2, codec.FrameCount); // reads the file to its end
        return codec.RepetitionCount;
    }

    private PixelImage[] Write(PixelImage[] frames) => Decode(_folder.Write("frames.gif", TestImages.Gif(_folder, frames)));

    private static void AssertFrames(PixelImage[] expected, PixelImage[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            TestImages.AssertEqual(expected[i].WithChannels(3), actual[i]);
        }
    }

    /// <summary>All frames, by SkiaSharp.</summary>
    private static PixelImage[] Decode(string path)
    {
        using var codec = SKCodec.Create(path);
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        return [.. Enumerable.Range(0, codec.FrameCount).Select(frame =>
        {
            using var bitmap = new SKBitmap(info);
            Assert.Equal(SKCodecResult.Success, codec.GetPixels(info, bitmap.GetPixels(), new SKCodecOptions(frame)));
            var rgba = bitmap.GetPixelSpan().ToArray();
            return new PixelImage(info.Width, info.Height, 3, [.. rgba.Where((_, i) => i % 4 != 3)]);
        })];
    }
}
