using Diffusion.Evaluation;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The likelihood of images that the network has not seen, in bits per dimension.</summary>
internal static class LikelihoodFigures
{
    private const int BatchSize = 50;

    /// <param name="model">The network.</param>
    /// <param name="images">The images.</param>
    /// <param name="count">How many of them, at most all; chosen at random, by the seed of the drawing.</param>
    /// <param name="progress">Told how many are done, of each figure.</param>
    /// <param name="cancellation">Checked on the way.</param>
    /// <returns>The figures, and why others are missing.</returns>
    public static (IReadOnlyList<EvaluationFigure> Figures, IReadOnlyList<string> Missing) Of(TrainedModel model, IImageSource images, int count, IProgress<double> progress, CancellationToken cancellation)
    {
        var chosen = Chosen(images.Count, count, model.Options.Sampling.Seed);
        var (figures, missing) = (new List<EvaluationFigure>(), new List<string>());
        var (seed, done) = (model.Options.Sampling.Seed, 0);
        Measure("likelihoodBound", (denoiser, batch, first) => LikelihoodSummary.OfBound(model.Limited(denoiser), batch, seed, model.Variance, firstImage: first, cancellationToken: cancellation));
        Measure("likelihoodExact", (denoiser, batch, first) => ProbabilityFlowLikelihood.Of(denoiser, batch, seed, firstImage: first, cancellationToken: cancellation));
        return (figures, missing);

        void Measure(string name, Func<IDenoiser, Tensor, long, LikelihoodSummary> measure)
        {
            try
            {
                var parts = new List<LikelihoodSummary>();
                for (var first = 0; first < count; first += BatchSize)
                {
                    var part = chosen.AsSpan(first, Math.Min(BatchSize, count - first));
                    using var batch = images.Read(part);
                    parts.Add(measure(model.Of(batch.Labels, images.ClassNames), batch.Images, first));
                    progress.Report(done + first + part.Length);
                }

                var all = LikelihoodSummary.Combine(parts);
                figures.Add(new EvaluationFigure(name, all.BitsPerDimension, count) { StandardError = all.StandardError, Remark = $"bits per dimension of {count} images of {images.Name}: {all.Method}" });
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                missing.Add($"{name}: not measured. {e.Message.ReplaceLineEndings(" ")}");
            }

            done += count;
        }
    }

    private static int[] Chosen(int images, int count, long seed)
    {
        // A function of the seed on every runtime; files are often in an order.
        var order = Enumerable.Range(0, images).ToArray();
        new Random(unchecked((int)seed)).Shuffle(order);
        return [.. order.Take(count).Order()];
    }
}
