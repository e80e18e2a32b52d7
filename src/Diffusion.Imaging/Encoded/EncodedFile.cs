namespace Diffusion.Imaging;

/// <summary>What an image file may take before it is decoded: bytes on disk, pixels that it declares.</summary>
internal static class EncodedFile
{
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

    /// <summary>The bytes of a stream, as far as <see cref="Bounded"/> lets them be read.</summary>
    /// <exception cref="InvalidDataException">There are more.</exception>
    public static byte[] ReadAll(Stream stream)
    {
        var whole = Bounded(stream);
        var bytes = new byte[whole.Length - whole.Position];
        whole.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Refuses a PNG that would take too much memory; decoders say less of it, and some nothing.</summary>
    /// <exception cref="InvalidDataException">It declares too many pixels, or a side that is too long.</exception>
    public static void ThrowIfTooLarge(ReadOnlySpan<byte> file)
    {
        if (PngMetadata.Size(file) is var (width, height))
        {
            ThrowIfTooLarge(width, height);
        }
    }

    /// <summary>Refuses an image that would take too much memory, before any is allocated.</summary>
    /// <exception cref="InvalidDataException">It declares too many pixels, or a side that is too long.</exception>
    public static void ThrowIfTooLarge(long width, long height)
    {
        if (width * height > ImageLimits.Decoded)
        {
            throw new InvalidDataException($"declares {width}×{height} pixels, more than the {ImageLimits.Decoded} that are decoded");
        }

        if (Math.Max(width, height) > ImageLimits.Side)
        {
            throw new InvalidDataException($"declares {width}×{height} pixels; a width or height of more than {ImageLimits.Side} is not decoded");
        }
    }
}
