using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Which noise levels a network is trained at. Immutable; what a distribution learns in a run is in a <see cref="LossHistory"/>. Derive from it to plug in one of your own.</summary>
/// <remarks>
/// Uniform: Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1. Stratified: Variational Diffusion Models, arXiv:2107.00630, appendix I.1.
/// Logit-normal: Scaling Rectified Flow Transformers, arXiv:2403.03206, section 3.1. Loss second moment: Improved Denoising Diffusion Probabilistic
/// Models, arXiv:2102.09672, section 3.3. Densities of σ/α, drawn between the timesteps, wherever the schedule has the ratio, are log-normal: Elucidating the Design Space of
/// Diffusion-Based Generative Models, arXiv:2206.00364, table 1; v-diffusion: Progressive Distillation, arXiv:2202.00512; cosine interpolated: Simple Diffusion, arXiv:2301.11093, section 3.1.
/// </remarks>
public abstract class TimestepDistribution
{
    /// <summary>Every timestep alike, each image for itself. The default.</summary>
    public static TimestepDistribution Uniform { get; } = new UniformTimesteps();

    /// <summary>Every timestep alike, but one image of the batch in each of B equal parts of the schedule: the loss varies less from batch to batch.</summary>
    public static TimestepDistribution Stratified { get; } = new QuantileTimesteps("stratified", u => u, stratified: true);

    /// <summary>σ/α is log-normal with the numbers of EDM, mean −1.2 and deviation 1.2 of its logarithm.</summary>
    public static TimestepDistribution Edm { get; } = SigmaDensity.LogNormal();

    /// <summary>The name that configuration files use.</summary>
    public abstract string Name { get; }

    /// <summary>The name with what tells distributions of that name apart: quantiles, in general.</summary>
    internal virtual string Description => Name;

    /// <summary>The position along the schedule is logistic(N(mean, scale²)): more training at the middle levels.</summary>
    /// <param name="mean">Above 0 moves the weight towards noise; 0 by default.</param>
    /// <param name="scale">Above 0: how widely the levels spread; 1 by default.</param>
    /// <returns>The distribution, of whole timesteps, without importance weights.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution LogitNormal(double mean = 0, double scale = 1)
    {
        if (!double.IsFinite(mean))
        {
            throw new ArgumentOutOfRangeException(nameof(mean), mean, "The mean must be a finite number.");
        }

        if (!double.IsFinite(scale) || scale <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(scale), scale, "The scale must be a finite number above 0.");
        }

        return new QuantileTimesteps("logit-normal", u => 1 / (1 + Math.Exp(-(mean + (scale * NormalQuantile.At(u))))), stratified: false);
    }

    /// <summary>ln(σ/α) is normal; drawn between the timesteps.</summary>
    /// <param name="mean">The mean of ln σ; −1.2 in EDM.</param>
    /// <param name="deviation">Its standard deviation, above 0; 1.2 in EDM.</param>
    /// <param name="stratified">Whether one image of the batch lies in each of B parts of equal probability; by default each image is drawn for itself.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution LogNormal(double mean = -1.2, double deviation = 1.2, bool stratified = false) =>
        Of(SigmaDensity.LogNormal(mean, deviation), stratified);

    /// <summary>ln(σ/α) has the logistic distribution, cut off at both ends; drawn between the timesteps.</summary>
    /// <param name="mean">The mean of ln σ.</param>
    /// <param name="scale">The scale of the logistic distribution, above 0.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <param name="stratified">Whether one image of the batch lies in each of B parts of equal probability; by default each image is drawn for itself.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution LogLogistic(double mean = 0, double scale = 1, double sigmaMin = SigmaDensity.MinSigma, double sigmaMax = SigmaDensity.MaxSigma, bool stratified = false) =>
        Of(SigmaDensity.LogLogistic(mean, scale, sigmaMin, sigmaMax), stratified);

    /// <summary>ln(σ/α) is uniform; drawn between the timesteps.</summary>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <param name="stratified">Whether one image of the batch lies in each of B parts of equal probability; by default each image is drawn for itself.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution LogUniform(double sigmaMin = SigmaDensity.MinSigma, double sigmaMax = SigmaDensity.MaxSigma, bool stratified = false) =>
        Of(SigmaDensity.LogUniform(sigmaMin, sigmaMax), stratified);

    /// <summary>arctan(σ/σ_data) is uniform between its values at the ends; drawn between the timesteps.</summary>
    /// <param name="sigmaData">The standard deviation of the images, above 0.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <param name="stratified">Whether one image of the batch lies in each of B parts of equal probability; by default each image is drawn for itself.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution VelocityDiffusion(double sigmaData = 1, double sigmaMin = SigmaDensity.MinSigma, double sigmaMax = SigmaDensity.MaxSigma, bool stratified = false) =>
        Of(SigmaDensity.VelocityDiffusion(sigmaData, sigmaMin, sigmaMax), stratified);

    /// <summary>The shifted cosine schedules of two sides, interpolated in ln σ: from that of <paramref name="noiseSizeLow"/> at the largest σ to that of <paramref name="noiseSizeHigh"/> at the smallest.</summary>
    /// <param name="imageSize">The side of the images, at least 1.</param>
    /// <param name="noiseSizeLow">The side whose schedule holds at much noise, at least 1.</param>
    /// <param name="noiseSizeHigh">The side whose schedule holds at little noise, at least 1.</param>
    /// <param name="sigmaData">The standard deviation of the images, above 0.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ, above <paramref name="sigmaMin"/>.</param>
    /// <param name="stratified">Whether one image of the batch lies in each of B parts of equal probability; by default each image is drawn for itself.</param>
    /// <returns>The distribution.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution CosineInterpolated(
        int imageSize, int noiseSizeLow, int noiseSizeHigh, double sigmaData = 1, double sigmaMin = SigmaDensity.MinSigma, double sigmaMax = SigmaDensity.MaxSigma, bool stratified = false) =>
        Of(SigmaDensity.CosineInterpolated(imageSize, noiseSizeLow, noiseSizeHigh, sigmaData, sigmaMin, sigmaMax), stratified);

    /// <summary>
    /// Timesteps in proportion to the root of the mean square of their last losses, with weights that leave the mean loss as it is: less noise in the
    /// gradient of the variational bound. Uniform until every timestep has its losses.
    /// </summary>
    /// <param name="losses">How many losses are kept for each timestep, at least 1; 10 in the paper.</param>
    /// <param name="uniformShare">The share of draws that stays uniform, in (0, 1], so that no timestep is forgotten; 0.001 by default.</param>
    /// <returns>The distribution; the trainer keeps its history, also in checkpoints.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static TimestepDistribution LossSecondMoment(int losses = 10, double uniformShare = 0.001)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(losses, 1);
        return uniformShare is > 0 and <= 1
            ? new LossSecondMomentTimesteps(losses, uniformShare)
            : throw new ArgumentOutOfRangeException(nameof(uniformShare), uniformShare, "The uniform share must be in (0, 1].");
    }

    /// <summary>Draws the levels of a batch.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="count">The number of images, at least 1.</param>
    /// <param name="generator">Where all random numbers come from; on the CPU.</param>
    /// <param name="history">What <see cref="NewHistory"/> made, where the distribution needs one.</param>
    /// <returns>Levels and importance weights.</returns>
    public abstract TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null);

    /// <summary>What a run remembers of its losses for this distribution.</summary>
    /// <param name="schedule">The schedule of the run.</param>
    /// <returns>An empty history, or <see langword="null"/> where none is needed, as by default.</returns>
    public virtual LossHistory? NewHistory(INoiseSchedule schedule) => null;

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    private static SigmaDensity Of(SigmaDensity density, bool stratified) => stratified ? density.Stratify() : density;
}
