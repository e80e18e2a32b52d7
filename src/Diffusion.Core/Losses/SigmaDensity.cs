using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A distribution of σ/α, as a function of an evenly distributed number: levels are drawn between the timesteps, wherever the schedule has the ratio.</summary>
/// <remarks>
/// Log-normal: Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, table 1. v-diffusion: Progressive Distillation,
/// arXiv:2202.00512 (the angle arctan(σ/α) is uniform). Cosine interpolated: Simple Diffusion, arXiv:2301.11093, section 3.1, with σ_data.
/// </remarks>
internal sealed class SigmaDensity : TimestepDistribution
{
    public const double MinSigma = 1e-3;
    public const double MaxSigma = 1e3;

    private readonly Func<double, double> _ratio;
    private readonly bool _stratified;

    private SigmaDensity(string name, Func<double, double> ratio, bool stratified = false) => (Name, _ratio, _stratified) = (name, ratio, stratified);

    /// <inheritdoc/>
    public override string Name { get; }

    internal override string Description => Describe(Name, _ratio, _stratified);

    /// <summary>ln σ is normal.</summary>
    /// <param name="mean">The mean of ln σ; −1.2 in EDM.</param>
    /// <param name="deviation">Its standard deviation, above 0; 1.2 in EDM.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static SigmaDensity LogNormal(double mean = -1.2, double deviation = 1.2)
    {
        Finite(mean, nameof(mean));
        Positive(deviation, nameof(deviation));
        return new("log-normal", u => Math.Exp(mean + (deviation * NormalQuantile.At(u))));
    }

    /// <summary>ln σ has the logistic distribution, cut off at both ends.</summary>
    /// <param name="mean">The mean of ln σ.</param>
    /// <param name="scale">The scale of the logistic distribution, above 0.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static SigmaDensity LogLogistic(double mean = 0, double scale = 1, double sigmaMin = MinSigma, double sigmaMax = MaxSigma)
    {
        Finite(mean, nameof(mean));
        Positive(scale, nameof(scale));
        Ordered(sigmaMin, sigmaMax);
        var (low, high) = (Share(sigmaMin), Share(sigmaMax));
        return new("log-logistic", u => Math.Exp(mean + (scale * Logit(low + (u * (high - low))))));

        double Share(double sigma) => 1 / (1 + Math.Exp((mean - Math.Log(sigma)) / scale));
        static double Logit(double share) => Math.Log(share / (1 - share));
    }

    /// <summary>ln σ is uniform.</summary>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static SigmaDensity LogUniform(double sigmaMin = MinSigma, double sigmaMax = MaxSigma)
    {
        Ordered(sigmaMin, sigmaMax);
        return new("log-uniform", u => sigmaMin * Math.Pow(sigmaMax / sigmaMin, u));
    }

    /// <summary>arctan(σ/σ_data) is uniform between its values at the ends.</summary>
    /// <param name="sigmaData">The standard deviation of the images, above 0.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static SigmaDensity VelocityDiffusion(double sigmaData = 1, double sigmaMin = MinSigma, double sigmaMax = MaxSigma)
    {
        Positive(sigmaData, nameof(sigmaData));
        Ordered(sigmaMin, sigmaMax);
        return new("v-diffusion", Angle(sigmaMin / sigmaData, sigmaMax / sigmaData, sigmaData));
    }

    /// <summary>The shifted cosine schedules of two sides, interpolated in ln σ: from that of <paramref name="noiseSizeLow"/> at the largest σ, for a draw of 0, to that of <paramref name="noiseSizeHigh"/> at the smallest.</summary>
    /// <param name="imageSize">The side of the images, at least 1.</param>
    /// <param name="noiseSizeLow">The side whose schedule holds at much noise, at least 1.</param>
    /// <param name="noiseSizeHigh">The side whose schedule holds at little noise, at least 1.</param>
    /// <param name="sigmaData">The standard deviation of the images, above 0.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static SigmaDensity CosineInterpolated(
        int imageSize, int noiseSizeLow, int noiseSizeHigh, double sigmaData = 1, double sigmaMin = MinSigma, double sigmaMax = MaxSigma)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(noiseSizeLow, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(noiseSizeHigh, 1);
        Positive(sigmaData, nameof(sigmaData));
        Ordered(sigmaMin, sigmaMax);
        var (low, high) = (Shifted(noiseSizeLow), Shifted(noiseSizeHigh));
        return new("cosine-interpolated", u => sigmaData * Math.Exp(Math.Log(low(u)) + (u * (Math.Log(high(u)) - Math.Log(low(u))))));

        Func<double, double> Shifted(int noiseSize)
        {
            var shift = (double)imageSize / noiseSize; // what σ is multiplied by: the ends stay where they are
            return Angle(sigmaMax / sigmaData / shift, sigmaMin / sigmaData / shift, shift);
        }
    }

    /// <summary>What an evenly distributed number is turned into. Grows with it, except for <see cref="CosineInterpolated"/>, where it falls.</summary>
    /// <param name="draw">In (0, 1).</param>
    /// <returns>σ/α, above 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is outside (0, 1).</exception>
    public double RatioAt(double draw) => draw is > 0 and < 1 ? _ratio(draw) : throw new ArgumentOutOfRangeException(nameof(draw), draw, "The draw must be in (0, 1).");

    /// <summary>The same distribution with one image of the batch in each of B parts of equal probability.</summary>
    /// <returns>The distribution.</returns>
    public SigmaDensity Stratify() => new(Name, _ratio, stratified: true);

    /// <inheritdoc/>
    public override TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var draws = UniformDraws.Of(count, generator, _stratified);
        return new([.. draws.Select(u => schedule.LevelWithRatio(_ratio(u)))], TimestepDraw.Ones(count));
    }

    /// <summary>A distribution by its quantiles at 0.1, 0.5 and 0.9.</summary>
    internal static string Describe(string name, Func<double, double> quantile, bool stratified) =>
        FormattableString.Invariant($"{name} {quantile(0.1):G4} {quantile(0.5):G4} {quantile(0.9):G4}{(stratified ? " stratified" : "")}");

    private static Func<double, double> Angle(double first, double last, double factor)
    {
        var (start, end) = (Math.Atan(first), Math.Atan(last));
        return u => factor * Math.Tan(start + (u * (end - start)));
    }

    private static void Finite(double value, string name)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be a finite number.");
        }
    }

    private static void Positive(double value, string name)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be a finite number above 0.");
        }
    }

    private static void Ordered(double sigmaMin, double sigmaMax)
    {
        Positive(sigmaMin, nameof(sigmaMin));
        if (!double.IsFinite(sigmaMax) || sigmaMax <= sigmaMin)
        {
            throw new ArgumentOutOfRangeException(nameof(sigmaMax), sigmaMax, FormattableString.Invariant($"The largest sigma must be finite and above the smallest, {sigmaMin:R}."));
        }
    }
}
