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
}
