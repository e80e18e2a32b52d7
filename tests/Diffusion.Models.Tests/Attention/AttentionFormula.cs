using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>The layers written out, number by number, in double precision: what the modules are checked against.</summary>
internal static class AttentionFormula
{
    public static double[,] Attention(double[,] tokens, double[,] context, Func<string, double[,]> weight, Func<string, double[]> bias, int heads)
    {
        var (query, key, value) = (Map(tokens, weight("query.weight")), Map(context, weight("key.weight")), Map(context, weight("value.weight")));
        var width = query.GetLength(1) / heads;
        var attended = new double[tokens.GetLength(0), query.GetLength(1)];
        for (var head = 0; head < heads; head++)
        {
            for (var n = 0; n < tokens.GetLength(0); n++)
            {
                var scores = new double[context.GetLength(0)];
                for (var l = 0; l < scores.Length; l++)
                {
                    for (var i = head * width; i < (head + 1) * width; i++)
                    {
                        scores[l] += query[n, i] * key[l, i] / Math.Sqrt(width);
                    }
                }

                var total = scores.Sum(Math.Exp);
                for (var i = head * width; i < (head + 1) * width; i++)
                {
                    attended[n, i] = Enumerable.Range(0, scores.Length).Sum(l => Math.Exp(scores[l]) / total * value[l, i]);
                }
            }
        }

        return Map(attended, weight("out.weight"), bias("out.bias"));
    }

    public static double[,] FeedForward(double[,] tokens, Func<string, double[,]> weight, Func<string, double[]> bias)
    {
        var both = Map(tokens, weight("gate.weight"), bias("gate.bias"));
        var hidden = new double[tokens.GetLength(0), both.GetLength(1) / 2];
        for (var n = 0; n < hidden.GetLength(0); n++)
        {
            for (var i = 0; i < hidden.GetLength(1); i++)
            {
                var gate = both[n, i + hidden.GetLength(1)];
                hidden[n, i] = both[n, i] * gate * NormalDistribution(gate);
            }
        }

        return Map(hidden, weight("out.weight"), bias("out.bias"));
    }

    public static double[,] LayerNorm(double[,] tokens, double[] weight, double[] bias)
    {
        var result = new double[tokens.GetLength(0), tokens.GetLength(1)];
        for (var n = 0; n < result.GetLength(0); n++)
        {
            var row = Enumerable.Range(0, result.GetLength(1)).Select(i => tokens[n, i]).ToArray();
            var mean = row.Average();
            var deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + 1e-5);
            for (var i = 0; i < row.Length; i++)
            {
                result[n, i] = ((row[i] - mean) / deviation * weight[i]) + bias[i];
            }
        }

        return result;
    }

    public static double[,] Map(double[,] tokens, double[,] weight, double[]? bias = null)
    {
        var result = new double[tokens.GetLength(0), weight.GetLength(0)];
        for (var n = 0; n < result.GetLength(0); n++)
        {
            for (var o = 0; o < result.GetLength(1); o++)
            {
                result[n, o] = (bias?[o] ?? 0) + Enumerable.Range(0, weight.GetLength(1)).Sum(i => weight[o, i] * tokens[n, i]);
            }
        }

        return result;
    }

    public static double[,] Add(double[,] one, double[,] other)
    {
        var result = (double[,])one.Clone();
        for (var n = 0; n < result.GetLength(0); n++)
        {
            for (var i = 0; i < result.GetLength(1); i++)
            {
                result[n, i] += other[n, i];
            }
        }

        return result;
    }

    /// <summary>Two dimensions of a tensor as numbers.</summary>
    public static double[,] Matrix(Tensor tensor)
    {
        using var flat = tensor.detach().to(ScalarType.Float64).contiguous();
        var values = flat.data<double>().ToArray();
        var result = new double[tensor.shape[0], values.Length / tensor.shape[0]];
        Buffer.BlockCopy(values, 0, result, 0, values.Length * sizeof(double));
        return result;
    }

    public static double[] Vector(Tensor tensor)
    {
        using var flat = tensor.detach().to(ScalarType.Float64).contiguous();
        return flat.data<double>().ToArray();
    }

    /// <summary>Φ(x) by Simpson's rule from −9, where it is below 1e-18.</summary>
    private static double NormalDistribution(double x)
    {
        const int steps = 2_000;
        const double from = -9;
        var h = (x - from) / steps;
        var sum = Density(from) + Density(x);
        for (var i = 1; i < steps; i++)
        {
            sum += Density(from + (i * h)) * (i % 2 == 0 ? 2 : 4);
        }

        return sum * h / 3;

        static double Density(double t) => Math.Exp(-t * t / 2) / Math.Sqrt(2 * Math.PI);
    }
}
