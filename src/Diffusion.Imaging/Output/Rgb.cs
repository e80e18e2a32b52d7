namespace Diffusion.Imaging;

/// <summary>A colour, or the difference of two; a colour has each channel in [0, 255].</summary>
internal readonly record struct Rgb(double R, double G, double B)
{
    public double this[int channel] => channel == 0 ? R : channel == 1 ? G : B;

    public static Rgb operator +(Rgb left, Rgb right) => new(left.R + right.R, left.G + right.G, left.B + right.B);

    public static Rgb operator *(Rgb color, double factor) => new(color.R * factor, color.G * factor, color.B * factor);

    public double SquaredDistance(Rgb other)
        => ((R - other.R) * (R - other.R)) + ((G - other.G) * (G - other.G)) + ((B - other.B) * (B - other.B));

    public Rgb Clamped(double low, double high) => new(Math.Clamp(R, low, high), Math.Clamp(G, low, high), Math.Clamp(B, low, high));

    public (byte R, byte G, byte B) Rounded() => ((byte)Math.Round(R), (byte)Math.Round(G), (byte)Math.Round(B));
}
