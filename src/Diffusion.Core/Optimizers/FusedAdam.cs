using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A step of Adam or AdamW and of averages of the weights in one pass over memory, on the CPU: every number is read once and written once, where separate operations
/// would each go through all of them. The result does not depend on the number of threads.
/// </summary>
/// <param name="Kind">Where the weight decay goes.</param>
/// <param name="GradientFactor">What gradients are multiplied by: 1, or less to clip them.</param>
/// <param name="Beta1">β₁, the decay of the mean, and 1 − β₁, each rounded once.</param>
/// <param name="Beta2">β₂, the decay of the mean square, and 1 − β₂.</param>
/// <param name="Epsilon">Added to the denominator.</param>
/// <param name="MeanFactor">The learning rate over 1 − β₁ᵗ.</param>
/// <param name="RootFactor">1/√(1 − β₂ᵗ).</param>
/// <param name="Decay">The weight decay; times the learning rate for AdamW.</param>
internal readonly record struct FusedAdam(OptimizerKind Kind, float GradientFactor, (float Old, float New) Beta1, (float Old, float New) Beta2, float Epsilon, float MeanFactor, float RootFactor, float Decay)
{
    private const int Block = 1 << 10; // five buffers of it stay in a first-level cache

    /// <summary>Updates all but the gradients in place.</summary>
    /// <param name="values">The weights.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="mean">The moving average of the gradients.</param>
    /// <param name="meanSquare">The moving average of their squares.</param>
    /// <param name="decayed">1 where weight decay applies, 0 elsewhere; <see langword="null"/> for everywhere.</param>
    /// <param name="averages">Averages of the weights and the weight of the new ones in each.</param>
    public unsafe void Update(Tensor values, Tensor gradients, Tensor mean, Tensor meanSquare, Tensor? decayed, IReadOnlyList<(Tensor Average, double Weight)> averages)
    {
        var count = (int)values.numel();
        var buffers = averages.Select(average => ((nint)FlatBuffer.Pointer(average.Average), (float)average.Weight)).ToArray();
        nint value = (nint)FlatBuffer.Pointer(values), gradient = (nint)FlatBuffer.Pointer(gradients), mean1 = (nint)FlatBuffer.Pointer(mean), mean2 = (nint)FlatBuffer.Pointer(meanSquare), mask = decayed is null ? 0 : (nint)FlatBuffer.Pointer(decayed);
        var step = this;
        FlatBuffer.OnThreads(count, (first, length) =>
        {
            for (var end = first + length; first < end; first += Block)
            {
                var size = Math.Min(Block, end - first);
                var weights = new Span<float>((float*)value + first, size);
                step.Adam(weights, new((float*)gradient + first, size), new((float*)mean1 + first, size), new((float*)mean2 + first, size), mask == 0 ? [] : new((float*)mask + first, size));
                foreach (var (average, weight) in buffers)
                {
                    Average(weights, new((float*)average + first, size), weight);
                }
            }
        }, fromTheEnd: true); // of the gradients, whose norm was just found
    }

    /// <summary>As lerp: exact where the weight is 0 or 1.</summary>
    private static void Average(ReadOnlySpan<float> weights, Span<float> average, float weight)
    {
        if (weight == 0)
        {
            return;
        }

        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= weights.Length - width; i += width)
        {
            var (old, now) = (new Vector<float>(average[i..]), new Vector<float>(weights[i..]));
            (weight < 0.5f ? old + ((now - old) * weight) : now - ((now - old) * (1 - weight))).CopyTo(average[i..]);
        }

        for (; i < weights.Length; i++)
        {
            average[i] = weight < 0.5f ? average[i] + ((weights[i] - average[i]) * weight) : weights[i] - ((weights[i] - average[i]) * (1 - weight));
        }
    }

    private void Adam(Span<float> values, ReadOnlySpan<float> gradients, Span<float> mean, Span<float> meanSquare, ReadOnlySpan<float> decayed)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= values.Length - width; i += width)
        {
            var decay = decayed.IsEmpty ? new Vector<float>(Decay) : new Vector<float>(decayed[i..]) * Decay;
            var (value, gradient) = (new Vector<float>(values[i..]), new Vector<float>(gradients[i..]) * GradientFactor);
            if (Kind == OptimizerKind.Adam)
            {
                gradient += value * decay;
            }
            else
            {
                value -= value * decay;
            }

            var first = (new Vector<float>(mean[i..]) * Beta1.Old) + (gradient * Beta1.New);
            var second = (new Vector<float>(meanSquare[i..]) * Beta2.Old) + (gradient * gradient * Beta2.New);
            first.CopyTo(mean[i..]);
            second.CopyTo(meanSquare[i..]);
            (value - (first * MeanFactor / ((Vector.SquareRoot(second) * RootFactor) + new Vector<float>(Epsilon)))).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
        {
            var decay = decayed.IsEmpty ? Decay : decayed[i] * Decay;
            var gradient = (gradients[i] * GradientFactor) + (Kind == OptimizerKind.Adam ? values[i] * decay : 0);
            var value = Kind == OptimizerKind.Adam ? values[i] : values[i] - (values[i] * decay);
            mean[i] = (mean[i] * Beta1.Old) + (gradient * Beta1.New);
            meanSquare[i] = (meanSquare[i] * Beta2.Old) + (gradient * gradient * Beta2.New);
            values[i] = value - (mean[i] * MeanFactor / ((MathF.Sqrt(meanSquare[i]) * RootFactor) + Epsilon));
        }
    }
}
