using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>
/// The estimate of self-conditioning is the newest x̂₀, also within a step: as in ElucidatedDiffusion.sample of lucidrains/denoising-diffusion-pytorch (commit faed4db), where the second
/// evaluation of Heun's method gets the x̂₀ of the first, and the next step that of the second. The references are written in double precision.
/// </summary>
public sealed class SelfConditioningTests
{
    private const int Steps = 8;
    private const double Tolerance = 5e-7;

    [Fact]
    public void HeunSampler_SelfConditioning_EachEvaluationGetsTheNewestEstimate()
    {
        using var scope = NewDisposeScope();
        var (levels, x, denoiser) = Start();
        var sampler = new HeunSampler(null, new() { Spacing = StepSpacing.Through(levels) });
        using var noise = new ReplayNoise(null);

        var result = sampler.Continue(denoiser, x, noise);

        Tensor? estimate = null;
        for (var i = 0; i < Steps; i++)
        {
            var (from, to) = (levels[i], levels[i + 1]);
            var image = Denoise(x, from, estimate);
            var slope = (x - image) / from.Sigma;
            var next = x + ((to.Sigma - from.Sigma) * slope);
            if (to.Sigma > 0)
            {
                var atEnd = Denoise(next, to, image);
                next = x + ((to.Sigma - from.Sigma) / 2 * (slope + ((next - atEnd) / to.Sigma)));
                image = atEnd;
            }

            (x, estimate) = (next, image);
        }

        TensorAssert.Close(x, result, Tolerance, 0, "Heun");
    }

    [Fact]
    public void Dpm2Sampler_SelfConditioning_EachEvaluationGetsTheNewestEstimate()
    {
        using var scope = NewDisposeScope();
        var (levels, x, denoiser) = Start();
        var sampler = new Dpm2Sampler(null, new() { Spacing = StepSpacing.Through(levels) });
        using var noise = new ReplayNoise(null);

        var result = sampler.Continue(denoiser, x, noise);

        Tensor? estimate = null;
        for (var i = 0; i < Steps; i++)
        {
            var (from, to) = (levels[i], levels[i + 1]);
            var image = Denoise(x, from, estimate);
            var slope = (x - image) / from.Sigma;
            if (to.Sigma > 0)
            {
                var middle = denoiser.Schedule.LevelWithRatio(Math.Sqrt(from.Sigma * to.Sigma));
                var halfway = x + ((middle.Sigma - from.Sigma) * slope);
                image = Denoise(halfway, middle, image);
                slope = (halfway - image) / middle.Sigma;
            }

            (x, estimate) = (x + ((to.Sigma - from.Sigma) * slope), image);
        }

        TensorAssert.Close(x, result, Tolerance, 0, "DPM-Solver-2");
    }

    /// <summary>The estimate counts: without it the images are others.</summary>
    [Fact]
    public void HeunSampler_EstimateOfTheStepBefore_MakesOtherImages()
    {
        using var scope = NewDisposeScope();
        var (levels, x, denoiser) = Start();
        using var noise = new ReplayNoise(null);
        var sampler = new HeunSampler(null, new() { Spacing = StepSpacing.Through(levels) });
        var result = sampler.Continue(denoiser, x, noise);
        var without = sampler.Continue(new FunctionDenoiser(denoiser.Schedule, (noisy, level) => Denoise(noisy, level, null)), x, noise);
        Assert.True((result - without).abs().max().item<double>() > 1e-2);
    }

    private static (IReadOnlyList<NoiseLevel> Levels, Tensor Noisy, IDenoiser Denoiser) Start()
    {
        var schedule = SigmaNoiseSchedule.Karras();
        var levels = StepSpacing.Karras().Levels(schedule, Steps);
        return (levels, Normal.Of(5, 2, 1, 4, 4).to(ScalarType.Float64) * levels[0].Sigma, new EstimatingDenoiser(schedule));
    }

    /// <summary>x̂₀ of normal data, changed by an estimate in a way that is not linear.</summary>
    private static Tensor Denoise(Tensor noisy, NoiseLevel level, Tensor? estimate)
    {
        var image = noisy * (0.25 / (0.25 + (level.Sigma * level.Sigma)));
        return estimate is null ? image : (image * 0.7) + (0.4 * (estimate * 1.5).sin());
    }

    private sealed class EstimatingDenoiser(INoiseSchedule schedule) : IDenoiser
    {
        public INoiseSchedule Schedule => schedule;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) => new(Denoise(noisy, level, estimate));
    }
}
