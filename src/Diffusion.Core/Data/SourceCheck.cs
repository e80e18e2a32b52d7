using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a source promises of its batches.</summary>
internal static class SourceCheck
{
    /// <summary>Throws where values are not finite, or outside the range that the source declares.</summary>
    public static void Values(IImageSource source, ImageBatch batch)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (min, max) = (batch.Images.amin().to(ScalarType.Float64).item<double>(), batch.Images.amax().to(ScalarType.Float64).item<double>());
        if (!double.IsFinite(min) || !double.IsFinite(max))
        {
            throw new InvalidDataException($"'{source.Name}' gave a value that is not a finite number.");
        }

        if (source.Range is var (low, high) && (min < low || max > high))
        {
            throw new InvalidDataException(FormattableString.Invariant(
                $"'{source.Name}' gave values in [{min:g6}, {max:g6}]; its {nameof(IImageSource.Range)} is [{low:g6}, {high:g6}]. Scale the values, or declare another range ({nameof(IImageSource)}.{nameof(IImageSource.Range)}; null for any)."));
        }
    }
}
