namespace Diffusion.Imaging;

/// <summary>At most 256 colours that stand for those of an image, and which of them every pixel becomes.</summary>
/// <remarks>
/// An image of at most 256 colours keeps them exactly. Others are counted in 32×32×32 bins and the bins divided by variance-minimising
/// cuts (X. Wu, "Efficient statistical computations for optimal color quantization", Graphics Gems II, 1991; here over the occupied bins,
/// cut at the mean); <see cref="ErrorDiffusion"/> then chooses the colour of every pixel.
/// </remarks>
internal sealed class ColorPalette
{
    private const int Size = 256;

    private ColorPalette(byte[] table, byte[] indices) => (Table, Indices) = (table, indices);

    /// <summary>256 colours of 3 bytes; unused ones are black.</summary>
    public byte[] Table { get; }

    /// <summary>The colour of every pixel.</summary>
    public byte[] Indices { get; }

    public static ColorPalette Of(PixelImage rgb) => Exact(rgb) ?? Reduced(rgb);

    private static ColorPalette? Exact(PixelImage rgb)
    {
        var known = new Dictionary<int, byte>(Size);
        var (table, indices) = (new byte[3 * Size], new byte[rgb.Width * rgb.Height]);
        for (var i = 0; i < indices.Length; i++)
        {
            var pixel = rgb.Pixels.Slice(3 * i, 3);
            var color = (pixel[0] << 16) | (pixel[1] << 8) | pixel[2];
            if (!known.TryGetValue(color, out var index))
            {
                if (known.Count == Size)
                {
                    return null;
                }

                known.Add(color, index = (byte)known.Count);
                pixel.CopyTo(table.AsSpan(3 * index));
            }

            indices[i] = index;
        }

        return new ColorPalette(table, indices);
    }

    private static ColorPalette Reduced(PixelImage rgb)
    {
        var bins = ColorBin.Count(rgb);
        var colors = ColorBox.Divide([.. bins.Where(bin => bin is not null).Select(bin => bin!)], Size);
        var table = new byte[3 * Size];
        for (var i = 0; i < colors.Length; i++)
        {
            (table[3 * i], table[(3 * i) + 1], table[(3 * i) + 2]) = colors[i].Rounded();
        }

        return new ColorPalette(table, new ErrorDiffusion(colors).Apply(rgb));
    }
}
