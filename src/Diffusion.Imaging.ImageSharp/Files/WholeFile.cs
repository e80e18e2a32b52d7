namespace Diffusion.Imaging.ImageSharp;

/// <summary>Whether a file holds all of its first picture: ImageSharp shows what is there of one that was cut off.</summary>
internal static class WholeFile
{
    /// <summary>Refuses files that are cut off, and PNG whose pixels have another check sum.</summary>
    /// <param name="file">A file of one of the formats that are read.</param>
    /// <param name="width">What it declares.</param>
    /// <param name="height">What it declares.</param>
    /// <exception cref="InvalidDataException">Something is missing.</exception>
    public static void ThrowIfCut(ReadOnlySpan<byte> file, int width, int height)
    {
        var whole = file.StartsWith(PngMetadata.Signature) ? PngPixels.AreWhole(file, width, height)
            : file.StartsWith(JpegMetadata.Signature) ? JpegScans.End(file)
            : WebPMetadata.Is(file) ? SizedFiles.WebPIsWhole(file)
            : GifFrame.Is(file) ? GifFrame.Find(file) is not null
            : SizedFiles.BmpIsWhole(file);
        if (!whole)
        {
            throw new InvalidDataException($"truncated: the {width}×{height} image is not all there, or damaged");
        }
    }
}
