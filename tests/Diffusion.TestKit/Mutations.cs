namespace Diffusion;

/// <summary>Damaged copies of a file, the same for the same seed: cut off, bytes changed, pieces removed, repeated or overwritten.</summary>
public static class Mutations
{
    private static readonly byte[] s_telling = [0, 1, 0x7F, 0x80, 0xFF, (byte)'"', (byte)'{', (byte)'[', (byte)'9', (byte)'-'];

    /// <summary>Damages a file in many ways.</summary>
    /// <param name="original">The file; not changed.</param>
    /// <param name="count">How many copies.</param>
    /// <param name="seed">What they depend on.</param>
    /// <param name="within">Changes are made in the first so many bytes, where a format's structure lies; all of them by default.</param>
    public static IEnumerable<byte[]> Of(byte[] original, int count, int seed, int? within = null)
    {
        var random = new Random(seed);
        var range = Math.Min(within ?? original.Length, original.Length);
        for (var i = 0; i < count; i++)
        {
            var start = random.Next(range);
            var length = Math.Min(random.Next(1, 17), range - start);
            var copy = original.ToArray();
            switch (i % 5)
            {
                case 0:
                    yield return copy[..start];
                    break;
                case 1:
                    copy[start] = (byte)random.Next(256);
                    yield return copy;
                    break;
                case 2:
                    copy.AsSpan(start, length).Fill(s_telling[random.Next(s_telling.Length)]);
                    yield return copy;
                    break;
                case 3:
                    yield return [.. copy[..start], .. copy[(start + length)..]];
                    break;
                default:
                    yield return [.. copy[..(start + length)], .. copy[start..]];
                    break;
            }
        }
    }
}
