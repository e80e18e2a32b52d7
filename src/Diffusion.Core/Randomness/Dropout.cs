using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Sets values of images to zero at random and scales the others so that their mean stays. Whether value <i>n</i> of an image is kept is a function of the call's <see cref="LayerSeed"/>, the
/// number of the image and <i>n</i>: the same for any number of threads, any batch and any device.
/// </summary>
/// <remarks>
/// Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 15 (2014). A counter in the mixing function of SplitMix64 gives 64 bits for two values; a probability is rounded to 2⁻³².
/// </remarks>
internal static class Dropout
{
    /// <summary>Draws from <see cref="LayerSeeds"/>.</summary>
    /// <param name="values">[B, …].</param>
    /// <param name="rate">The part that is dropped, in [0, 1).</param>
    /// <returns>The shape and the type of the values.</returns>
    public static Tensor Of(Tensor values, double rate)
    {
        using var scope = NewDisposeScope();
        return DropoutMask.Draw(values.shape, rate, values.device).Apply(values).MoveToOuterDisposeScope();
    }

    /// <summary>Which values are kept, [B, …] of booleans.</summary>
    /// <param name="seed">Of the call.</param>
    /// <param name="shape">Of the values.</param>
    /// <param name="part">The probability that a value is kept, in (0, 1].</param>
    /// <param name="device">Where they are needed, and drawn.</param>
    public static Tensor Kept(LayerSeed seed, long[] shape, double part, Device device)
    {
        var below = (ulong)Math.Round(part * (1UL << 32));
        var keys = new ulong[shape[0]];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = SeedMixer.Mix(unchecked((long)seed.Value), SeedMixer.Purpose.LayerImage, seed.FirstImage + i);
        }

        return device.type == DeviceType.CPU ? OnProcessor(keys, shape, below) : OnDevice(keys, shape, below, device);
    }

    /// <summary>In operations of libtorch, on any device.</summary>
    internal static Tensor OnDevice(ulong[] keys, long[] shape, ulong below, Device device)
    {
        using var scope = NewDisposeScope();
        var values = Values(shape);
        using var step = unchecked((long)SeedMixer.Step).ToScalar();
        using var limit = unchecked((long)below).ToScalar();
        var starts = tensor(MemoryMarshal.Cast<ulong, long>(keys).ToArray(), ScalarType.Int64, device).unsqueeze(1); // [B] → [B, 1]
        var bits = starts.Plus(ones((values + 1) / 2, ScalarType.Int64, device).cumsum(0) * step); // [B, pairs]
        bits = Scrambled(Scrambled(bits, 30, SeedMixer.First), 27, SeedMixer.Second);
        bits = bits.bitwise_xor(Shifted(bits, 31));
        var halves = stack([bits.bitwise_and(Constant(0xFFFFFFFF, device)), Shifted(bits, 32)], 2); // [B, pairs, 2]
        return halves.flatten(1).narrow(1, 0, values).lt(limit).view(shape).MoveToOuterDisposeScope();
    }

    private static Tensor Scrambled(Tensor bits, int shift, ulong factor)
    {
        using var number = unchecked((long)factor).ToScalar();
        return bits.bitwise_xor(Shifted(bits, shift)) * number;
    }

    /// <summary>To the right, with zeros: libtorch's shift has copies of the sign.</summary>
    private static Tensor Shifted(Tensor bits, int count) =>
        bits.bitwise_right_shift(Constant(count, bits.device)).bitwise_and(Constant(long.MaxValue >> (count - 1), bits.device));

    private static Tensor Constant(long number, Device device) => tensor(number, ScalarType.Int64, device);

    private static long Values(long[] shape) => shape.Skip(1).Aggregate(1L, (product, length) => product * length);

    private static unsafe Tensor OnProcessor(ulong[] keys, long[] shape, ulong below)
    {
        var kept = empty(shape, ScalarType.Bool, CPU);
        var values = Values(shape);
        var (pairs, place) = ((int)((values + 1) / 2), (nint)FlatBuffer.Pointer(kept));
        FlatBuffer.OnThreads(checked(pairs * keys.Length), (first, count) =>
        {
            for (var end = first + count; first < end;)
            {
                var (image, start) = Math.DivRem(first, pairs);
                var stop = Math.Min(pairs, start + end - first);
                Draw(keys[image], start, stop, values, (bool*)place + (image * values), below);
                first += stop - start;
            }
        });
        return kept;
    }

    private static unsafe void Draw(ulong key, int first, int end, long values, bool* kept, ulong below)
    {
        var state = unchecked(key + ((ulong)first * SeedMixer.Step));
        for (var pair = first; pair < end; pair++, state = unchecked(state + SeedMixer.Step))
        {
            var bits = SeedMixer.Scramble(state);
            kept[2L * pair] = (uint)bits < below;
            if ((2L * pair) + 1 < values)
            {
                kept[(2L * pair) + 1] = bits >> 32 < below;
            }
        }
    }
}
