using Diffusion.Configuration;
using Diffusion.Imaging;
using Diffusion.Imaging.ImageSharp;

namespace Diffusion.Sample.Tests;

public sealed class ImageCodecsTests
{
    [Fact]
    public void Of_EachName_IsItsCodec()
    {
        Assert.Same(ImageFile.DefaultCodec, ImageCodecs.Of(new DataOptions()));
        Assert.Same(ImageFile.DefaultCodec, ImageCodecs.Of(new DataOptions { Codec = "skia" }));
        Assert.IsType<ImageSharpCodec>(ImageCodecs.Of(new DataOptions { Codec = "IMAGESHARP" }));
    }

    [Theory]
    [InlineData(null, "imageSharp", "imageSharp")]
    [InlineData("skia", "imageSharp", "skia")]
    [InlineData("ImageSharp", null, "ImageSharp")]
    public void Over_NameOfTheCommandLine_ComesFirst(string? name, string? configured, string expected) =>
        Assert.Equal(expected, ImageCodecs.Over(new DataOptions { Codec = configured }, name).Codec);

    [Fact]
    public void Over_NameOfNoCodec_ListsThem() =>
        Assert.Equal("--codec must be one of skia, imageSharp; it is 'pillow'.", Assert.Throws<UsageException>(() => ImageCodecs.Over(new DataOptions(), "pillow")).Message);
}
