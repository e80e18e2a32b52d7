using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Turns one number an image, computed in double precision, into a tensor that broadcasts over a batch.</summary>
internal static class PerImage
{
    /// <param name="batch">[B, …]: gives type, device and rank.</param>
    /// <param name="levels">B levels, or one.</param>
    /// <param name="coefficient">The number for a level.</param>
    /// <returns>[B or 1, 1, …], in the type and on the device of the batch.</returns>
    public static Tensor Coefficients(Tensor batch, ReadOnlySpan<NoiseLevel> levels, Func<NoiseLevel, double> coefficient)
    {
        if (batch.dim() == 0 || (levels.Length != 1 && levels.Length != batch.shape[0]))
        {
            throw new ArgumentException($"A batch of shape [{string.Join(", ", batch.shape)}] needs one timestep, or one for each of its images; {levels.Length} were given.", nameof(levels));
        }

        var values = new double[levels.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = coefficient(levels[i]);
        }

        return Values(batch, values);
    }

    /// <param name="batch">[B, …]: gives type, device and rank.</param>
    /// <param name="values">B numbers, or one.</param>
    /// <returns>[B or 1, 1, …], in the type and on the device of the batch.</returns>
    public static Tensor Values(Tensor batch, double[] values)
    {
        using var scope = NewDisposeScope();
        var shape = new long[batch.dim()];
        Array.Fill(shape, 1);
        shape[0] = values.Length;
        return tensor(values).to(batch.dtype).to(batch.device).view(shape).MoveToOuterDisposeScope();
    }

    /// <summary>The mean over everything but the batch, [B, …] → [B].</summary>
    public static Tensor Mean(Tensor batch)
    {
        using var flat = batch.reshape(batch.shape[0], -1);
        return flat.mean([1]);
    }
}
