using System.Diagnostics;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Times a piece of a network alone, forward and backward.</summary>
/// <param name="Forward">Seconds.</param>
/// <param name="Backward">Seconds; 0 where there is none.</param>
internal readonly record struct Isolated(double Forward, double Backward)
{
    public double Sum => Forward + Backward;

    public static Isolated operator +(Isolated left, Isolated right) => new(left.Forward + right.Forward, left.Backward + right.Backward);

    public static Isolated operator *(int count, Isolated one) => new(count * one.Forward, count * one.Backward);

    /// <summary>Runs it once to warm up and then a few times; the medians count.</summary>
    /// <param name="run">From inputs to an output.</param>
    /// <param name="inputs">What its inputs are like; gradients are taken of those that are floating-point.</param>
    /// <param name="backward">Whether a backward pass follows, to inputs and weights.</param>
    /// <param name="repeats">How often it is timed.</param>
    public static Isolated Time(Func<IReadOnlyList<Tensor>, Tensor> run, IReadOnlyList<TensorLayout> inputs, bool backward, int repeats)
    {
        using var mode = set_grad_enabled(backward);
        var (forwards, backwards) = (new List<double>(), new List<double>());
        for (var i = -1; i < repeats; i++)
        {
            using var scope = NewDisposeScope();
            List<Tensor> leaves = [.. inputs.Select(input => input.Create()).Select(input => input.requires_grad_(backward && input.is_floating_point()))];
            var start = Stopwatch.GetTimestamp();
            var output = run(leaves);
            var middle = Stopwatch.GetTimestamp();
            double after = 0;
            if (backward && output.requires_grad)
            {
                using var gradient = ones_like(output);
                var begin = Stopwatch.GetTimestamp();
                output.backward([gradient]);
                after = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            }

            if (i >= 0)
            {
                forwards.Add(Stopwatch.GetElapsedTime(start, middle).TotalSeconds);
                backwards.Add(after);
            }
        }

        return new(new Samples(forwards).Median, new Samples(backwards).Median);
    }
}
