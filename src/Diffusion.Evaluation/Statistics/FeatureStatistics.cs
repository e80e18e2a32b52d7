using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Mean and covariance of the features of a set of images: what a Fréchet distance is taken between. Owns its tensors; they are not to be written to.</summary>
/// <remarks>
/// Files are those of pytorch-fid and of what reads and writes like it: an <c>.npz</c> of NumPy with <c>mu</c> [D] and <c>sigma</c> [D, D]. Ours have two more arrays, which NumPy reads and others leave alone:
/// <c>image_count</c>, the number of images (int64, no dimension), and <c>image_source</c>, <see cref="Source"/> (a string, no dimension).
/// </remarks>
public sealed class FeatureStatistics : IDisposable
{
    /// <summary>The most features: the bytes of a larger covariance are too many for one span of .NET.</summary>
    internal const int MaxFeatures = 16_383;

    /// <summary>How far both sides of the diagonal may be apart, as a part of the largest element: NumPy and BLAS sum them in another order, some in float32.</summary>
    internal const double MaxAsymmetry = 1e-5;

    private readonly double[] _mean;
    private readonly double[] _covariance;
    private readonly Lazy<CovarianceFactor?> _factor;
    private readonly Lazy<double[]> _eigenvalues;

    /// <summary>Statistics that are known otherwise, such as those of a distribution.</summary>
    /// <param name="mean">[D], finite, a floating type. It is copied.</param>
    /// <param name="covariance">[D, D], symmetric, finite, no variance below 0 and no covariance beyond what the variances allow; a floating type, to whose rounding its rank is told. It is copied.</param>
    /// <param name="images">The number of images, at least 1; <see langword="null"/> where it is not known, or infinite.</param>
    /// <param name="source">What they were made from: images and features.</param>
    /// <exception cref="ArgumentException">The tensors have other shapes or types, or are not mean and covariance.</exception>
    public FeatureStatistics(Tensor mean, Tensor covariance, long? images, string source)
        : this(Values(mean, 1, nameof(mean)), Values(covariance, 2, nameof(covariance)), images, source, covariance.dtype)
    {
    }

    /// <param name="mean">[D]; kept.</param>
    /// <param name="covariance">[D, D]; kept.</param>
    /// <param name="images">At least 1.</param>
    /// <param name="source">What they were made from.</param>
    /// <param name="type">The floating type that the covariance was given in.</param>
    internal FeatureStatistics(double[] mean, double[] covariance, long? images, string source, ScalarType type = ScalarType.Float64)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        if (images < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(images), images, "A set has at least 1 image.");
        }

        var d = mean.Length;
        if (covariance.Length != (long)d * d)
        {
            throw new ArgumentException($"The covariance of {d} features has {(long)d * d} elements; there are {covariance.Length}.", nameof(covariance));
        }

        if (Matrix.Problem(mean, covariance, d, MaxAsymmetry, Smallest(type)) is { } problem)
        {
            throw new ArgumentException($"The statistics of '{source}' are none: {problem}.", nameof(covariance));
        }

        Symmetrize(covariance, d);
        (_mean, _covariance, Images, Source, Type) = (mean, covariance, images, source, type);
        _factor = new(() => CovarianceFactor.Of(_covariance, d, Rounding(type)));
        _eigenvalues = new(() => SymmetricEigenvalues.Of(_covariance, d));
        Mean = tensor(mean, [d], dtype: ScalarType.Float64).DetachFromDisposeScope();
        Covariance = tensor(covariance, [d, d], dtype: ScalarType.Float64).DetachFromDisposeScope();
    }

    /// <summary>The number of images, at least 1; <see langword="null"/> where a file does not say.</summary>
    public long? Images { get; }

    /// <summary>The mean, [D], float64, on the CPU.</summary>
    public Tensor Mean { get; }

    /// <summary>The covariance, [D, D], float64, on the CPU, symmetric: sums of the products of deviations by the number of images − 1.</summary>
    public Tensor Covariance { get; }

    /// <summary>What the statistics were made from: images and features. Figures of other features cannot be compared.</summary>
    public string Source { get; }

    /// <summary>The floating type that the covariance was given in.</summary>
    internal ScalarType Type { get; }

    /// <summary>The number of features.</summary>
    internal int Features => _mean.Length;

    /// <summary>The mean, [D].</summary>
    internal ReadOnlySpan<double> Means => _mean;

    /// <summary>The covariance, [D, D].</summary>
    internal ReadOnlySpan<double> Covariances => _covariance;

    /// <summary>The factor of the covariance.</summary>
    /// <exception cref="ArgumentException">The covariance has variances far below 0 in some direction.</exception>
    internal CovarianceFactor Factor => _factor.Value ?? throw new ArgumentException($"The covariance of '{Source}' is none: the variance is below 0 in some direction, by more than rounding.");

    /// <summary>The eigenvalues of the covariance, ascending; those that rounding made negative as 0.</summary>
    internal IEnumerable<double> Variances => _eigenvalues.Value.Select(value => Math.Max(0, value));

    /// <summary>The statistics of features that are in memory.</summary>
    /// <param name="features">[N, D], at least two images; a floating type, on any device. It is not disposed.</param>
    /// <param name="source">What they were made from: images and features.</param>
    /// <returns>Mean and covariance (by N − 1), for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The features have no such shape, no floating type or are not all finite.</exception>
    public static FeatureStatistics Of(Tensor features, string source)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        var moments = Deviations.Of(features, $"The features of '{source}'");
        return moments.Images < 2
            ? throw new ArgumentException($"A covariance needs at least 2 images; '{source}' has 1.", nameof(features))
            : Of(moments, source);
    }

    /// <summary>Reads a file of statistics: ours, or one of pytorch-fid, clean-fid and others.</summary>
    /// <param name="path">An <c>.npz</c> of NumPy with <c>mu</c> [D] and <c>sigma</c> [D, D] of float16, float32 or float64. Other arrays are not looked at, except <c>image_count</c> and <c>image_source</c>.</param>
    /// <returns>The statistics, for the caller to dispose. Where the file does not say, <see cref="Images"/> is <see langword="null"/> and <see cref="Source"/> the name of the file.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file holds something else, or is damaged; the message names it, and the array.</exception>
    public static FeatureStatistics Read(string path) => StatisticsFile.Read(path);

    /// <summary>Writes a file of statistics, whole or not at all: <c>mu</c>, <c>sigma</c>, <c>image_count</c> where it is known, and <c>image_source</c>. The same statistics give the same bytes.</summary>
    /// <param name="path">The <c>.npz</c> to write; its folder is created if need be.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path) => StatisticsFile.Write(path, this);

    /// <inheritdoc/>
    public void Dispose()
    {
        Mean.Dispose();
        Covariance.Dispose();
    }

    /// <summary>The statistics of sums.</summary>
    /// <param name="moments">Of at least two images.</param>
    /// <param name="source">What they were made from.</param>
    internal static FeatureStatistics Of(FeatureMoments moments, string source)
    {
        var covariance = moments.Scatter.ToArray();
        for (var i = 0; i < covariance.Length; i++)
        {
            covariance[i] /= moments.Images - 1;
        }

        return new(moments.Mean.ToArray(), covariance, moments.Images, source);
    }

    /// <summary>The smallest number above 0, where it is large enough that variances become 0.</summary>
    internal static double Smallest(ScalarType type) => type == ScalarType.Float16 ? 1.0 / (1 << 24) : 0;

    /// <summary>The distance from 1 to the next number.</summary>
    private static double Rounding(ScalarType type) => type switch
    {
        ScalarType.BFloat16 => 1.0 / (1 << 7),
        ScalarType.Float16 => 1.0 / (1 << 10),
        ScalarType.Float32 => 1.0 / (1 << 23),
        _ => 1.0 / (1L << 52),
    };

    private static double[] Values(Tensor values, int rank, string name)
    {
        ArgumentNullException.ThrowIfNull(values, name);
        if (values.dim() != rank || values.shape.Any(size => size is < 1 or > MaxFeatures) || values.shape[0] != values.shape[^1] || !values.is_floating_point())
        {
            throw new ArgumentException($"'{name}' is {values.dtype} [{string.Join(", ", values.shape)}]; a floating type and [{(rank == 1 ? "D" : "D, D")}] are needed, D from 1 to {MaxFeatures}.", name);
        }

        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, double>(values.detach().to(ScalarType.Float64).cpu().contiguous().bytes).ToArray();
    }

    private static void Symmetrize(double[] covariance, int d)
    {
        for (var i = 0; i < d; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var middle = (covariance[(i * d) + j] / 2) + (covariance[(j * d) + i] / 2);
                (covariance[(i * d) + j], covariance[(j * d) + i]) = (middle, middle);
            }
        }
    }
}
