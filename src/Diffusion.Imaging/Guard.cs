namespace Diffusion.Imaging;

/// <summary>Checks that several public members make.</summary>
internal static class Guard
{
    public static void Channels(int channels, string name)
    {
        if (channels is not (1 or 3))
        {
            throw new ArgumentOutOfRangeException(name, channels, $"{name} is {channels}; it must be 1 (grey) or 3 (RGB).");
        }
    }

    public static void Split(Split split, string name)
    {
        if (!Enum.IsDefined(split))
        {
            throw new ArgumentOutOfRangeException(name, split, $"{name} is {(int)split}; it must be Train or Test.");
        }
    }

    /// <summary>Every index is in [0, count).</summary>
    public static void Indices(ReadOnlySpan<int> indices, int count, string source)
    {
        foreach (var index in indices)
        {
            if ((uint)index >= (uint)count)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(indices), index, $"indices holds {index}; {source} has {count} images, so an index is in [0, {count}).");
            }
        }
    }
}
