using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class ImageGridTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(64, 1, 8)]
    [InlineData(5, 1, 3)]
    [InlineData(80, 10, 10)]
    [InlineData(48, 3, 6)]
    [InlineData(4, 10, 10)]
    public void ColumnsFor_ImagesAndLabels_IsAboutASquare(int images, int labels, int columns) => Assert.Equal(columns, ImageGrid.ColumnsFor(images, labels));

    [Fact]
    public void Compose_FiveImagesInThreeColumns_LiesOutRowByRow()
    {
        using var images = tensor((float[])[-1f, -0.5f, 0, 0.5f, 1]).reshape(5, 1, 1, 1).expand(5, 1, 1, 2);
        var grid = ImageGrid.Compose(images, 3, padding: 1, background: 9);
        byte[] expected =
        [
            9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
            9, 0, 0, 9, 64, 64, 9, 128, 128, 9,
            9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
            9, 191, 191, 9, 255, 255, 9, 9, 9, 9,
            9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
        ];
        TestImages.AssertEqual(new PixelImage(10, 5, 1, expected), grid);
    }

    [Fact]
    public void Compose_Scale_RepeatsPixels()
    {
        var image = TestImages.Noise(3, 2, 3);
        using var tensor = image.ToTensor();
        var grid = ImageGrid.Compose(tensor, 8, padding: 0, scale: 4);
        TestImages.AssertEqual(TestImages.From(12, 8, 3, (x, y, c) => image.Pixels[((((y / 4) * 3) + (x / 4)) * 3) + c]), grid);
    }

    [Fact]
    public void Compose_ValuesOutside_AreClamped()
    {
        using var images = tensor((float[])[-7f, 1.001f, float.PositiveInfinity, float.NegativeInfinity]).reshape(1, 1, 2, 2);
        Assert.Equal([0, 255, 255, 0], ImageGrid.Compose(images, 1, padding: 0).Pixels.ToArray());
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Compose_OtherFloatingTypes_AreRead(ScalarType type)
    {
        using var images = tensor((float[])[-1f, 1f, 0.5f]).to(type).reshape(1, 3, 1, 1);
        Assert.Equal([0, 255, 191], ImageGrid.Compose(images, 1, padding: 0).Pixels.ToArray());
    }

    [Fact]
    public void Compose_TrackedByAutograd_IsReadAndLeftAsItWas()
    {
        using var images = zeros(1, 1, 2, 2, requires_grad: true);
        Assert.Equal(128, ImageGrid.Compose(images, 1).Pixels[(2 * 6) + 2]);
        Assert.Equal(0f, images.max().item<float>());
    }

    [Fact]
    public void Compose_NaN_SaysHowManyAndWhere()
    {
        using var images = zeros(3, 1, 2, 2);
        images[2, 0, 0, 0] = float.NaN;
        images[2, 0, 1, 1] = float.NaN;
        images[0, 0, 1, 0] = float.NaN;
        var message = Assert.Throws<ArgumentException>(() => ImageGrid.Compose(images, 2)).Message;
        Assert.Contains("3 NaN of 12 values, in 2 of 3 images (index 0, 2)", message);
    }

    [Fact]
    public void Compose_WrongShapeTypeOrOptions_SaysWhatIsNeeded()
    {
        using var four = zeros(1, 4, 2, 2);
        Assert.Contains("[1, 4, 2, 2]", Assert.Throws<ArgumentException>(() => ImageGrid.Compose(four, 1)).Message);
        using var none = zeros(0, 1, 2, 2);
        Assert.Contains("[0, 1, 2, 2]", Assert.Throws<ArgumentException>(() => ImageGrid.Compose(none, 1)).Message);
        using var bytes = zeros(1, 1, 2, 2, dtype: ScalarType.Byte);
        Assert.Contains("Byte", Assert.Throws<ArgumentException>(() => ImageGrid.Compose(bytes, 1)).Message);
        using var good = zeros(1, 1, 2, 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageGrid.Compose(good, 0));
        Assert.Equal("padding", Assert.Throws<ArgumentOutOfRangeException>(() => ImageGrid.Compose(good, 1, padding: -1)).ParamName);
        Assert.Equal("scale", Assert.Throws<ArgumentOutOfRangeException>(() => ImageGrid.Compose(good, 1, scale: 0)).ParamName);
        Assert.Contains("more than fit", Assert.Throws<ArgumentException>(() => ImageGrid.Compose(good, 1, scale: int.MaxValue)).Message);
    }

    [Fact]
    public void Save_Decoded_IsTheGrid()
    {
        using var images = arange(0, 4 * 3 * 5 * 6).to(ScalarType.Float32).reshape(4, 3, 5, 6).div(180).sub(1);
        ImageGrid.Save(_folder.File("grid.png"), images, 3);
        TestImages.AssertEqual(ImageGrid.Compose(images, 3), ImageFile.Load(_folder.File("grid.png")));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Save_NaN_LeavesTheOldFile()
    {
        var path = _folder.Write("grid.png", [1, 2, 3]);
        using var images = full(1, 1, 2, 2, float.NaN);
        Assert.Throws<ArgumentException>(() => ImageGrid.Save(path, images, 1));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
    }

    [Fact]
    public void Compose_100Times_LeaksNoTensor()
    {
        using var images = zeros(3, 3, 4, 4);
        Leaks.AssertNone(() => ImageGrid.Compose(images, 2));
    }
}
