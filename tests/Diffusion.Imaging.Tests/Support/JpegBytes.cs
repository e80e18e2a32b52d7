namespace Diffusion.Imaging.Tests;

/// <summary>JPEG files of 8×8 pixels of one colour, with any number of components.</summary>
public static class JpegBytes
{
    /// <summary>A file.</summary>
    /// <param name="values">The value of each component.</param>
    /// <param name="transform">Of Adobe's segment: 0 for the components as they are, 2 for YCCK; no segment where it is <see langword="null"/>.</param>
    public static byte[] Make(byte[] values, byte? transform = null)
    {
        var components = values.Length;
        byte[] frame = [8, 0, 8, 0, 8, (byte)components, .. Enumerable.Range(1, components).SelectMany(i => new byte[] { (byte)i, 0x11, 0 })];
        byte[] scan = [(byte)components, .. Enumerable.Range(1, components).SelectMany(i => new byte[] { (byte)i, 0 }), 0, 63, 0];
        byte[] dc = [0, 0, 0, 0, 12, .. new byte[12], .. Enumerable.Range(0, 12).Select(i => (byte)i)]; // the sizes 0 to 11, four bits each
        byte[] ac = [0x10, 1, .. new byte[15], 0]; // nothing but the end of the block, one bit
        return
        [
            0xff, 0xd8,
            .. transform is { } adobe ? ExifBytes.Segment(0xee, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, adobe]) : [],
            .. ExifBytes.Segment(0xdb, [0, .. Enumerable.Repeat((byte)1, 64)]),
            .. ExifBytes.Segment(0xc0, frame), .. ExifBytes.Segment(0xc4, dc), .. ExifBytes.Segment(0xc4, ac), .. ExifBytes.Segment(0xda, scan),
            .. Scan(values), 0xff, 0xd9,
        ];
    }

    private static byte[] Scan(byte[] values)
    {
        var bits = "";
        foreach (var value in values)
        {
            var level = 8 * (value - 128);
            var size = level == 0 ? 0 : (int)Math.Log2(Math.Abs(level)) + 1;
            bits += Convert.ToString(size, 2).PadLeft(4, '0');
            bits += size == 0 ? "" : Convert.ToString(level > 0 ? level : level + (1 << size) - 1, 2).PadLeft(size, '0');
            bits += "0";
        }

        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '1');
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(8 * i, 8), 2)).SelectMany(value => value == 0xff ? new byte[] { value, 0 } : [value])];
    }
}
