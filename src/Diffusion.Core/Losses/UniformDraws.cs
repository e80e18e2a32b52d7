using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Evenly distributed numbers, as input of quantile functions.</summary>
internal static class UniformDraws
{
    private const double Smallest = 1.0 / (1L << 53);

    /// <summary>Numbers within (0, 1), both ends excluded; stratified: number i lies in [i/count, (i + 1)/count).</summary>
    public static double[] Of(int count, Generator generator, bool stratified)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var draws = rand([count], ScalarType.Float64, generator: generator);
        var numbers = draws.data<double>().ToArray();
        for (var i = 0; i < count; i++)
        {
            numbers[i] = Math.Clamp(stratified ? (i + numbers[i]) / count : numbers[i], Smallest, 1 - Smallest);
        }

        return numbers;
    }
}
