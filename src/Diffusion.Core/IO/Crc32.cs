namespace Diffusion;

/// <summary>The check sum of PNG's chunks and of the entries of a zip.</summary>
/// <remarks>PNG, third edition (W3C, 2025), Annex D: the polynomial 0xEDB88320, reflected.</remarks>
internal static class Crc32
{
    private static readonly uint[] s_table = [.. Enumerable.Range(0, 256).Select(value => Shifted((uint)value))];

    /// <summary>The check sum.</summary>
    /// <param name="bytes">What it is of.</param>
    /// <param name="before">The check sum of what comes before.</param>
    public static uint Of(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        var sum = ~before;
        foreach (var value in bytes)
        {
            sum = s_table[(byte)(sum ^ value)] ^ (sum >> 8);
        }

        return ~sum;
    }

    private static uint Shifted(uint value)
    {
        for (var i = 0; i < 8; i++)
        {
            value = (value & 1) == 0 ? value >> 1 : 0xEDB88320 ^ (value >> 1);
        }

        return value;
    }
}
