namespace Diffusion.Imaging.ImageSharp;

/// <summary>The codes of GIF's compression.</summary>
/// <remarks>GIF89a (CompuServe, 1990), Appendix F.</remarks>
internal static class LzwCodes
{
    private const int MaxBits = 12;

    /// <summary>How many pixels the codes stand for, up to the first that stands for nothing.</summary>
    /// <param name="bytes">The codes, the lowest bit first.</param>
    /// <param name="bits">Of a pixel.</param>
    public static long Pixels(ReadOnlySpan<byte> bytes, int bits)
    {
        if (bits is < 1 or > 11)
        {
            return 0;
        }

        var (clear, pixels) = (1 << bits, 0L);
        var lengths = new int[1 << MaxBits];
        lengths.AsSpan(0, clear).Fill(1);
        var (next, width, last) = (clear + 2, bits + 1, -1);
        for (long at = 0; at + width <= bytes.Length * 8L;)
        {
            var code = Code(bytes, at, width);
            at += width;
            if (code == clear)
            {
                (next, width, last) = (clear + 2, bits + 1, -1);
                continue;
            }

            if (code == clear + 1 || code > next || (code >= clear && last < 0) || (code == next && next == lengths.Length))
            {
                break;
            }

            if (last >= 0 && next < lengths.Length)
            {
                lengths[next++] = lengths[last] + 1;
                width += next == 1 << width && width < MaxBits ? 1 : 0;
            }

            pixels += lengths[code];
            last = code;
        }

        return pixels;
    }

    private static int Code(ReadOnlySpan<byte> bytes, long at, int width)
    {
        var (first, value) = ((int)(at / 8), 0);
        for (var i = 0; i < 3 && first + i < bytes.Length; i++)
        {
            value |= bytes[first + i] << (8 * i);
        }

        return (value >> (int)(at % 8)) & ((1 << width) - 1);
    }
}
