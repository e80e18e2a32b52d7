namespace Diffusion.Evaluation;

/// <summary>Number, mean, and sums of the products of deviations from the mean, in float64. Immutable.</summary>
/// <remarks>
/// Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance, The American Statistician 37 (1983), Eq. 1.5 and 2.1: no sum of squares is formed from which a square is taken, so that means that are
/// large against the deviations cost no digits.
/// </remarks>
internal sealed class FeatureMoments
{
    private readonly double[] _mean;
    private readonly double[] _scatter;

    public FeatureMoments(long images, double[] mean, double[] scatter) => (Images, _mean, _scatter) = (images, mean, scatter);

    /// <summary>The number of images.</summary>
    public long Images { get; }

    /// <summary>The number of features.</summary>
    public int Features => _mean.Length;

    /// <summary>The mean, [D].</summary>
    public ReadOnlySpan<double> Mean => _mean;

    /// <summary>The sums of the products of deviations, [D, D], symmetric to the last bit.</summary>
    public ReadOnlySpan<double> Scatter => _scatter;

    /// <summary>The moments of both sets together.</summary>
    public FeatureMoments With(FeatureMoments next)
    {
        var images = Images + next.Images;
        var (d, weight, share) = (Features, Images * ((double)next.Images / images), (double)next.Images / images);
        var (mean, apart, scatter) = (new double[d], new double[d], _scatter.AsSpan().ToArray());
        for (var i = 0; i < d; i++)
        {
            apart[i] = next._mean[i] - _mean[i];
            mean[i] = _mean[i] + (apart[i] * share);
        }

        for (var i = 0; i < d; i++)
        {
            var row = scatter.AsSpan(i * d, d);
            var other = next._scatter.AsSpan(i * d, d);
            for (var j = 0; j < d; j++)
            {
                row[j] = row[j] + other[j] + (apart[i] * apart[j] * weight);
            }
        }

        return new(images, mean, scatter);
    }
}
