using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Bits per dimension of images, from the variational bound or by the probability flow, with the standard error and how the figure was made. Batches are put together with <see cref="Combine"/>. Immutable.</summary>
public sealed class LikelihoodSummary
{
    internal LikelihoodSummary(string method, IReadOnlyList<double> values) => (Method, Values) = (method, values);

    /// <summary>How the figures were made, and of what: evaluations, the range of σ/α, dequantisation. Figures of another method cannot be compared, nor put together.</summary>
    public string Method { get; }

    /// <summary>−log₂ of the likelihood of each image, or the bound on it, in bits per dimension (channel and pixel).</summary>
    public IReadOnlyList<double> Values { get; }

    /// <summary>The mean over the images, bits per dimension: the smaller, the more likely.</summary>
    public double BitsPerDimension => Values.Average();

    /// <summary>The standard error of the mean over images; <see langword="null"/> for one image. The random directions and dequantisation, drawn for each image, are in it; the choice of timesteps is not.</summary>
    public double? StandardError
    {
        get
        {
            var mean = BitsPerDimension;
            return Values.Count < 2 ? null : Math.Sqrt(Values.Sum(value => Math.Pow(value - mean, 2)) / (Values.Count - 1.0) / Values.Count);
        }
    }

    /// <summary>What the last level keeps of the images, the first part of the bound, bits per dimension; <see langword="null"/> without a bound.</summary>
    public double? Prior { get; private init; }

    /// <summary>The timesteps whose terms of the bound were evaluated, increasing; empty without a bound.</summary>
    public IReadOnlyList<int> Timesteps { get; private init; } = [];

    /// <summary>The mean term of the bound at each of <see cref="Timesteps"/>, bits per dimension; at timestep 0 that of the decoder. With all timesteps, their sum and <see cref="Prior"/> are the bound.</summary>
    public IReadOnlyList<double> Terms { get; private init; } = [];

    /// <summary>The variational bound of a batch (<see cref="VariationalBound"/>), from all timesteps or from some that are drawn at random.</summary>
    /// <remarks>
    /// Some timesteps: timestep 0, where the decoder's term is, and one from each of ranges of the others, which stands for its range; the first ranges are the smallest. Over seeds the mean is that of all. All images of a seed have the same timesteps.
    /// Discretised decoder, arXiv:2006.11239, Eq. 13: the images are 8-bit values, and no dequantisation is needed.
    /// </remarks>
    /// <param name="denoiser">The trained network; limited to the range of images in the code of the bound's authors: <c>denoiser.Limited(ImageLimit.Clip())</c>.</param>
    /// <param name="images">[B, C, H, W]: 8-bit values in [−1, 1], or uint8.</param>
    /// <param name="seed">Of the noise and of the choice of timesteps.</param>
    /// <param name="variance">The variance of the reverse steps.</param>
    /// <param name="timesteps">How many timesteps, from 2 to T; <see langword="null"/> (default) for all.</param>
    /// <param name="firstImage">The number of the first image, at least 0: the noise of an image depends on the seed and its number alone.</param>
    /// <param name="cancellationToken">Checked before every timestep.</param>
    /// <returns>Bits per dimension, with the terms.</returns>
    /// <exception cref="ArgumentException">The images are no 8-bit values, or the schedule has one timestep only.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of timesteps is outside its range, or that of the first image is negative.</exception>
    /// <exception cref="InvalidOperationException">The variance is learned and the denoiser predicts none.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public static LikelihoodSummary OfBound(
        IDenoiser denoiser,
        Tensor images,
        long seed,
        ReverseVariance variance = ReverseVariance.FixedSmall,
        int? timesteps = null,
        long firstImage = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(images);
        var all = denoiser.Schedule.Timesteps;
        var chosen = TimestepStrata.Choose(all, timesteps ?? all, seed);
        using var noise = NoiseSource.Seeded(seed, firstImage);
        using var scope = NewDisposeScope();
        using var weights = DenoiserRun.KeepWeights(denoiser);
        var values = EightBitValues.Of(images).to(denoiser.Device);
        using var report = VariationalBound.BitsPerDimension(denoiser, values, noise, variance, chosen, cancellationToken);
        return new LikelihoodSummary(
            string.Create(CultureInfo.InvariantCulture, $"variational bound, {(chosen.Count == all ? "all" : $"{chosen.Count} of")} {all} timesteps, variance {variance}, discretised decoder"), Numbers(report.Total))
        {
            Prior = Numbers(report.Prior).Average(),
            Timesteps = [.. chosen.Select(each => each.Timestep)],
            Terms = Numbers(report.Terms.to(ScalarType.Float64).mean([0])),
        };
    }

    /// <summary>Puts batches together, in their order.</summary>
    /// <param name="batches">Of one method, at least one.</param>
    /// <returns>The summary of all images.</returns>
    /// <exception cref="ArgumentException">There is none, or they were made in different ways.</exception>
    public static LikelihoodSummary Combine(params IEnumerable<LikelihoodSummary> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        LikelihoodSummary[] parts = [.. batches];
        if (parts.Length == 0)
        {
            throw new ArgumentException("There must be at least one batch to put together.", nameof(batches));
        }

        if (Array.Find(parts, part => part.Method != parts[0].Method || !part.Timesteps.SequenceEqual(parts[0].Timesteps)) is { } other)
        {
            throw new ArgumentException($"Figures of different methods cannot be put together: '{parts[0].Method}' and '{other.Method}'{(other.Method == parts[0].Method ? ", at other timesteps" : "")}.", nameof(batches));
        }

        double images = parts.Sum(part => part.Values.Count);
        return new LikelihoodSummary(parts[0].Method, [.. parts.SelectMany(part => part.Values)])
        {
            Prior = parts[0].Prior is null ? null : parts.Sum(part => part.Prior * part.Values.Count) / images,
            Timesteps = parts[0].Timesteps,
            Terms = [.. parts[0].Terms.Select((_, i) => parts.Sum(part => part.Terms[i] * part.Values.Count) / images)],
        };
    }

    /// <summary>The figure with its error, the number of images and the method.</summary>
    /// <returns>One line.</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{(Prior is null ? "" : "at most ")}{BitsPerDimension:f4}{(StandardError is { } error ? string.Create(CultureInfo.InvariantCulture, $" ± {error:f4}") : "")} bits per dimension, n = {Values.Count} ({Method})");

    private static double[] Numbers(Tensor values)
    {
        using var numbers = values.to(ScalarType.Float64).cpu();
        return numbers.data<double>().ToArray();
    }
}
