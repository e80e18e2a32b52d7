namespace Diffusion.Imaging;

/// <summary>What an image file may take before it is decoded: bytes on disk, pixels that it declares.</summary>
internal static class EncodedFile
{
    /// <summary>The largest image that is decoded, in pixels: a few bytes can declare an image that fills any memory.</summary>
    public const long MaxPixels = 1L << 27;

    /// <summary>The largest width and height: what scales an image has tables of its sides.</summary>
    public const int MaxSide = 1 << 20;

    /// <summary>The largest file.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>A stream of no more than <see cref="MaxBytes"/> that can be read whole: this one where its length is known, else what is in it.</summary>
    /// <exception cref="InvalidDataException">There is more.</exception>
    public static Stream Bounded(Stream stream)
    {
        if (stream.CanSeek)
        {
            return stream.Length - stream.Position is var length && length <= MaxBytes
                ? stream
                : throw new InvalidDataException($"is {length} bytes long, more than the {MaxBytes} that are read");
        }

        var bytes = new MemoryStream();
        var block = new byte[1 << 16];
        for (var read = stream.Read(block); read > 0; read = stream.Read(block))
        {
            bytes.Write(block.AsSpan(0, read));
            if (bytes.Length > MaxBytes)
            {
                throw new InvalidDataException($"goes on after {MaxBytes} bytes, the most that are read");
            }
        }

        bytes.Position = 0;
        return bytes;
    }

    /// <summary>Refuses an image that would take too much memory, before any is allocated.</summary>
    /// <exception cref="InvalidDataException">It declares too many pixels, or a side that is too long.</exception>
    public static void ThrowIfTooLarge(int width, int height)
    {
        if ((long)width * height > MaxPixels)
        {
            throw new InvalidDataException($"declares {width}×{height} pixels, more than the {MaxPixels} that are decoded");
        }

        if (Math.Max(width, height) > MaxSide)
        {
            throw new InvalidDataException($"declares {width}×{height} pixels; a width or height of more than {MaxSide} is not decoded");
        }
    }
}
