namespace Diffusion.Imaging.Tests;

public sealed class SkiaDecodingTests : CodecTests
{
    protected override IImageCodec Codec { get; } = ImageFile.DefaultCodec;
}
