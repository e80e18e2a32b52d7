using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Whether a source gives what it declares.</summary>
internal static class SourceCheck
{
    private const double Rounding = 1e-3; // of the range: what resizing and narrower types make of its ends

    /// <summary>Throws where images are of another type, or values are not finite or outside the range that the source declares by more than rounding makes: a thousandth of the range.</summary>
    /// <param name="source">The source.</param>
    /// <param name="batch">What it gave.</param>
    /// <param name="indices">The images that it was asked for.</param>
    /// <exception cref="InvalidDataException">It names the source and the first such image.</exception>
    public static void Values(IImageSource source, ImageBatch batch, ReadOnlySpan<int> indices)
    {
        if (batch.Images.dtype != ScalarType.Float32)
        {
            throw new InvalidDataException($"'{source.Name}' gave images of type {batch.Images.dtype}; {ScalarType.Float32} is needed, with values in its {nameof(IImageSource.Range)}. Convert them in {nameof(IImageSource.Read)}.");
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (min, max) = (batch.Images.amin().item<float>(), batch.Images.amax().item<float>());
        if (!float.IsFinite(min) || !float.IsFinite(max))
        {
            throw new InvalidDataException($"'{source.Name}' gave a value that is not a finite number{First(batch, indices, (low, high) => !float.IsFinite(low) || !float.IsFinite(high))}.");
        }

        if (source.Range is var (from, to) && (min < Lowest(from, to) || max > Highest(from, to)))
        {
            throw new InvalidDataException(FormattableString.Invariant(
                $"'{source.Name}' gave values in [{min}, {max}]; its {nameof(IImageSource.Range)} is [{from}, {to}]. Scale the values, or declare another range ({nameof(IImageSource)}.{nameof(IImageSource.Range)}; null for any){First(batch, indices, (low, high) => low < Lowest(from, to) || high > Highest(from, to))}."));
        }
    }

    private static double Lowest(double from, double to) => from - Allowed(from, to);

    private static double Highest(double from, double to) => to + Allowed(from, to);

    /// <summary>How far beyond the ends of a range values may be; nothing where it has an end only on one side.</summary>
    private static double Allowed(double from, double to) => double.IsFinite(to - from) ? Math.Abs(to - from) * Rounding : 0;

    /// <summary>The index of the first image whose lowest and highest value are such.</summary>
    private static string First(ImageBatch batch, ReadOnlySpan<int> indices, Func<float, float, bool> isSuch)
    {
        var values = batch.Images.flatten(1).cpu();
        var (low, high) = (values.amin([1L]).data<float>().ToArray(), values.amax([1L]).data<float>().ToArray());
        var first = Enumerable.Range(0, low.Length).FirstOrDefault(i => isSuch(low[i], high[i]), -1);
        return first >= 0 && low.Length == indices.Length ? FormattableString.Invariant($"; the first such image has the index {indices[first]}") : "";
    }
}
