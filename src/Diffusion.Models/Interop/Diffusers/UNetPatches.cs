namespace Diffusion.Models;

/// <summary>
/// A network on patches, and the network within it that has the same weights: there the pixels of a patch are channels. What enters and leaves that one is [B, C·p·p, H/p, W/p], by pixel unshuffle and
/// pixel shuffle, whose channels are c·p·p + y·p + x.
/// </summary>
/// <remarks>Efficient Sub-Pixel Convolution, arXiv:1609.05158, Eq. 4; torch.nn.functional.pixel_unshuffle.</remarks>
internal static class UNetPatches
{
    /// <summary>The network within one that has no mistakes; the same where there are no patches.</summary>
    public static UNetOptions Within(UNetOptions options)
    {
        var (patch, image, dialect) = (options.Dialect.PatchSize, options.Image, options.Dialect);
        var pixels = patch * patch;
        return options with
        {
            Image = new ImageShape(image.Channels * pixels, image.Height / patch, image.Width / patch),
            Dialect = dialect with { PatchSize = 1, ExtraChannels = dialect.ExtraChannels * pixels, OutChannels = dialect.OutChannels * pixels },
        };
    }

    /// <summary>The network on patches around one on pixels: the other way.</summary>
    /// <param name="options">A network without patches and mistakes.</param>
    /// <param name="patch">p, at least 1.</param>
    /// <returns><see langword="null"/> where p·p does not divide the channels in and out, or the image would be too large.</returns>
    public static UNetOptions? Around(UNetOptions options, int patch)
    {
        var (image, dialect, pixels) = (options.Image, options.Dialect, (long)patch * patch);
        if (image.Channels % pixels != 0 || dialect.ExtraChannels % pixels != 0 || (dialect.OutChannels ?? 0) % pixels != 0 || (long)Math.Max(image.Height, image.Width) * patch > int.MaxValue)
        {
            return null;
        }

        return options with
        {
            Image = new ImageShape((int)(image.Channels / pixels), image.Height * patch, image.Width * patch),
            Dialect = dialect with { PatchSize = patch, ExtraChannels = (int)(dialect.ExtraChannels / pixels), OutChannels = (int?)(dialect.OutChannels / pixels) },
        };
    }
}
