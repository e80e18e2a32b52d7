namespace Diffusion.Imaging;

/// <summary>
/// Gives every pixel the nearest colour of a palette and passes what that is off on to its neighbours, so that gradients show no bands.
/// </summary>
/// <remarks>
/// R. Floyd and L. Steinberg, "An adaptive algorithm for spatial grey scale", 1976; here every second row runs from right to left. The
/// nearest colour is looked up for the bin of 8×8×8 colours that a pixel falls in.
/// </remarks>
internal sealed class ErrorDiffusion
{
    /// <summary>
    /// More is dropped: a colour outside all those of the palette would else pile up an error that comes out in stray dots.
    /// </summary>
    private const double MaxPassedOn = 16;

    private readonly Rgb[] _palette;
    private readonly short[] _nearest = new short[1 << 15]; // by bin, one more than the index; 0 where not known yet

    public ErrorDiffusion(Rgb[] palette) => _palette = palette;

    /// <summary>The colour of every pixel.</summary>
    public byte[] Apply(PixelImage rgb)
    {
        var indices = new byte[rgb.Width * rgb.Height];
        var (now, below) = (new Rgb[rgb.Width + 2], new Rgb[rgb.Width + 2]); // errors to take over, with a margin on both sides
        for (var y = 0; y < rgb.Height; y++)
        {
            var step = y % 2 == 0 ? 1 : -1;
            for (var x = step > 0 ? 0 : rgb.Width - 1; x >= 0 && x < rgb.Width; x += step)
            {
                var i = (y * rgb.Width) + x;
                var pixel = rgb.Pixels.Slice(3 * i, 3);
                var wanted = (new Rgb(pixel[0], pixel[1], pixel[2]) + now[x + 1].Clamped(-MaxPassedOn, MaxPassedOn)).Clamped(0, 255);
                indices[i] = Nearest(wanted);
                var error = wanted + (_palette[indices[i]] * -1);
                now[x + 1 + step] += error * (7 / 16.0);
                below[x + 1 - step] += error * (3 / 16.0);
                below[x + 1] += error * (5 / 16.0);
                below[x + 1 + step] += error * (1 / 16.0);
            }

            (now, below) = (below, now);
            Array.Clear(below);
        }

        return indices;
    }

    private byte Nearest(Rgb color)
    {
        var (r, g, b) = color.Rounded();
        var bin = ColorBin.Index([r, g, b]);
        if (_nearest[bin] == 0)
        {
            var centre = new Rgb((r & ~7) + 3.5, (g & ~7) + 3.5, (b & ~7) + 3.5);
            var best = 0;
            for (var i = 1; i < _palette.Length; i++)
            {
                best = centre.SquaredDistance(_palette[i]) < centre.SquaredDistance(_palette[best]) ? i : best;
            }

            _nearest[bin] = (short)(best + 1);
        }

        return (byte)(_nearest[bin] - 1);
    }
}
