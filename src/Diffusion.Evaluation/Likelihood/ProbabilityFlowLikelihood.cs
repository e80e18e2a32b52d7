using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>The exact likelihood of images under a denoiser, by the probability flow: the ordinary differential equation that turns noise into images, followed backwards with the change of volume.</summary>
/// <remarks>
/// Score-Based Generative Modeling through Stochastic Differential Equations, arXiv:2011.13456, section 4.3 and appendix D.2; the trace by Hutchinson's estimator as in FFJORD, arXiv:1810.01367.
/// The paper solves with an adaptive method in x; here it is the classical Runge–Kutta method with steps that depend on the schedule alone, so that the figure of an image does not depend on
/// the batch, in a variable that serves every schedule. The prior is N(0, 1) in x/√(α² + σ²) at the schedule's last level, where samplers begin. The image is x/α at the smallest level, with the noise of that level in it.
/// </remarks>
public static class ProbabilityFlowLikelihood
{
    /// <summary>−log₂ of the likelihood of each image of a batch. The same seed gives the same figures, to rounding, whatever the batches.</summary>
    /// <param name="denoiser">
    /// The trained network, with a condition bound or without, computing in Float32 (or Float64), without limits and without the gradients of a classifier. With guidance by a scale the figure is that of the guided flow.
    /// Its x̂₀ must be differentiable with respect to x_t, by right gradients: those of libtorch's own convolutions are not for many numbers of channels, those of this library's layers are.
    /// </param>
    /// <param name="images">[B, C, H, W]: 8-bit values in [−1, 1], or uint8; without dequantisation any real numbers. Where they are Float64 the denoiser is given Float64.</param>
    /// <param name="seed">Of the directions of the trace and of dequantisation.</param>
    /// <param name="options">Steps, directions, dequantisation; the defaults where it is left out.</param>
    /// <param name="firstImage">The number of the first image, at least 0: the noise of an image depends on the seed and its number alone.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <returns>Bits per dimension (channel and pixel).</returns>
    /// <exception cref="ArgumentException">The options have mistakes, the images are no 8-bit values, the schedule does not fit, or something around the network is in the way of a likelihood.</exception>
    /// <exception cref="InvalidOperationException">x̂₀ has no gradient, its derivative failed, or the figure of an image is not finite.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public static LikelihoodSummary Of(
        IDenoiser denoiser, Tensor images, long seed, ProbabilityFlowOptions? options = null, long firstImage = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfNegative(firstImage);
        options ??= new ProbabilityFlowOptions();
        options.ThrowIfInvalid();
        Check(denoiser, images, options);
        var path = new FlowPath(denoiser.Schedule, options.Steps, options.SmallestRatio);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var weights = DenoiserRun.KeepWeights(denoiser);
        var start = Start(images, options.Dequantize, seed, firstImage).to(denoiser.Device);
        using var noise = NoiseSource.Seeded(unchecked((long)SeedMixer.Mix(seed, SeedMixer.Purpose.Evaluation, 0)), firstImage);
        using var probes = TraceProbes.For(start, options, noise);
        var slope = new FlowSlope(denoiser, probes, start.dtype);
        var values = Bits(start, path, slope, options, cancellationToken);
        Check(values, firstImage);
        return new LikelihoodSummary(Describe(path, slope, probes, options), values);
    }

    /// <summary>−log₂ p(y)/D of each image, y = x/α at the first level.</summary>
    private static double[] Bits(Tensor start, FlowPath path, FlowSlope slope, ProbabilityFlowOptions options, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        double count = start.numel() / start.shape[0];
        var (image, noise) = (path.First.Alpha / path.First.Scale, path.First.Sigma / path.First.Scale);
        using var contrast = image.ToScalar();
        var (end, traces) = FlowSolver.Run(slope, path, start.to(ScalarType.Float64) * contrast, cancellationToken);
        // ln p(z₀) = ln N(z; 0, 1) + D·ln(n_last/n_first) − ∫ g·tr(∂x̂₀/∂z) dw, and y = z₀/c.
        var volume = Math.Log(path.Last.Sigma / path.Last.Scale / noise) + Math.Log(image) - (0.5 * Math.Log(2 * Math.PI));
        var bin = options.Dequantize ? Math.Log2(EightBitValues.PerUnit) : 0;
        var (squares, integrals) = ((end * end).flatten(1).sum([1]).cpu().data<double>().ToArray(), traces.cpu().data<double>().ToArray());
        return [.. squares.Zip(integrals, (square, integral) => (((0.5 * square) + integral) / count / Math.Log(2)) - (volume / Math.Log(2)) + bin)];
    }

    private static Tensor Start(Tensor images, bool dequantize, long seed, long firstImage)
    {
        if (!dequantize)
        {
            return images.dtype == ScalarType.Float64 ? images.alias() : images.to(ScalarType.Float32);
        }

        using var scope = NewDisposeScope();
        using var values = EightBitValues.Of(images);
        return values.Plus(UniformNoise.Of(values, seed, firstImage)).MoveToOuterDisposeScope();
    }

    private static string Describe(FlowPath path, FlowSlope slope, TraceProbes probes, ProbabilityFlowOptions options)
    {
        var trace = probes.IsExact ? "the exact trace" : $"{probes.Directions.Count} {(options.GaussianProbes ? "Gaussian" : "Rademacher")} direction(s)";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"probability flow, {slope.Evaluations} evaluations, {trace}, σ/α from {path.First.Ratio:g4} to {path.Last.Ratio:g4}, {(options.Dequantize ? "uniform dequantisation" : "no dequantisation")}");
    }

    private static void Check(IDenoiser denoiser, Tensor images, ProbabilityFlowOptions options)
    {
        if (images.dim() < 2 || images.numel() == 0 || (options.Dequantize ? images.dtype != ScalarType.Byte && !images.is_floating_point() : !images.is_floating_point()))
        {
            throw new ArgumentException($"Images must be [B, C, H, W] of floating point{(options.Dequantize ? ", or uint8" : " without dequantisation")}; these are [{string.Join(", ", images.shape)}] of {images.dtype}.", nameof(images));
        }

        if (DenoiserRun.NoLikelihood(denoiser) is { } reason)
        {
            throw new ArgumentException($"There is no exact likelihood of a denoiser that {reason}.", nameof(denoiser));
        }
    }

    private static void Check(double[] values, long firstImage)
    {
        var wrong = Array.FindIndex(values, value => !double.IsFinite(value));
        if (wrong >= 0)
        {
            throw new InvalidOperationException($"The likelihood of image {firstImage + wrong} is {values[wrong].ToString(CultureInfo.InvariantCulture)}: the denoiser's x̂₀ or its derivative is not finite somewhere on the way.");
        }
    }
}
