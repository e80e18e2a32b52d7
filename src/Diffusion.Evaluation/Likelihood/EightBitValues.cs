using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Images of 8-bit values, k/127.5 − 1, as the likelihood of such images needs them.</summary>
internal static class EightBitValues
{
    /// <summary>Half the number of values from −1 to 1: the width of a bin is 1/127.5.</summary>
    public const double PerUnit = 127.5;

    private const double Rounding = 0.01; // of a bin

    /// <summary>Numbers in [−1, 1].</summary>
    /// <param name="images">[B, …], uint8, or floating point.</param>
    /// <returns>Float32, or Float64 where the images are, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">A value is between two 8-bit values or outside of them.</exception>
    public static Tensor Of(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var unit = PerUnit.ToScalar();
        if (images.dtype == ScalarType.Byte)
        {
            return ((images.to(ScalarType.Float32) / unit) - Scalars.One).MoveToOuterDisposeScope();
        }

        var values = images.dtype == ScalarType.Float64 ? images : images.to(ScalarType.Float32);
        var numbers = values.to(ScalarType.Float64).Plus(Scalars.One) * unit;
        using var max = 255.ToScalar();
        using var worst = (numbers - numbers.round().clamp(Scalars.Zero, max)).abs().max();
        return worst.item<double>() <= Rounding
            ? values.alias().MoveToOuterDisposeScope()
            : throw new ArgumentException(
                FormattableString.Invariant($"Images must be 8-bit values, k/127.5 − 1 with k from 0 to 255, or uint8; one lies {worst.item<double>():g3} of the distance of two values away from the next. Round and clip them, or take the likelihood without dequantisation."), nameof(images));
    }
}
