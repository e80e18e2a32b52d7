using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>The parts of openai/consistency_models (commit e32b69e) that are EDM's: scalings, weights, σs, Heun with churn, and Euler down to σ_min, recorded.</summary>
public sealed class ConsistencyModelsTests
{
    private const double SigmaData = 0.5;

    [Fact]
    public void Tables_Recorded_AreThoseOfEdm()
    {
        using var golden = Golden.Case("few_step/cm_tables");
        var levels = golden.Numbers("sigma").Select(sigma => new NoiseLevel(1, sigma, 0)).ToArray();
        var karras = Parameterization.Karras(SigmaData);
        golden.Close("edm.c_skip", levels.Select(level => karras.At(level).Skip));
        golden.Close("edm.c_out", levels.Select(level => karras.At(level).Out));
        golden.Close("edm.c_in", levels.Select(level => karras.At(level).In));
        golden.Close("weights.snr", levels.Select(level => LossWeighting.Snr.At(level, Parameterization.Image)));
        golden.Close("weights.karras", levels.Select(level => LossWeighting.Edm(SigmaData).At(level, Parameterization.Image)));
        foreach (var steps in new[] { 1, 2, 7, 18 })
        {
            golden.Close($"sigmas_karras.{steps}", StepSpacing.Karras().Levels(SigmaNoiseSchedule.Karras(), steps).Select(level => level.Sigma));
        }
    }

    [Fact]
    public void SampleFrom_RecordedHeunWithChurn_AsksForTheSameImages() => Run(
        "few_step/cm_heun_churn",
        new HeunSampler(6, new() { Spacing = StepSpacing.Karras(), Churn = new Churn(2, 0.05, 50, 1.003), StartsAtSigma = true }));

    [Fact]
    public void SampleFrom_RecordedEulerToSigmaMin_AsksForTheSameImages() =>
        Run("few_step/cm_progdist", new EulerSampler(5, new() { Spacing = StepSpacing.Karras().EndingAtSigmaMin(), StartsAtSigma = true }));

    private static void Run(string name, Sampler sampler)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        var (calls, draws) = (0, golden["draws"]);
        var denoiser = new FunctionDenoiser(SigmaNoiseSchedule.Karras(), (noisy, level) =>
        {
            var size = Math.Max(1, golden["call_x"][calls].abs().max().item<float>());
            TensorAssert.Close(golden["call_x"][calls], noisy, golden.AbsoluteTolerance * size, golden.RelativeTolerance, $"{name}: input of call {calls}");
            Assert.Equal(1, level.Sigma / golden["call_sigma"][calls][0].item<float>(), 1e-5);
            return golden["call_denoised"][calls++].clone();
        });
        using var noise = new ReplayNoise(draws);

        // The peer draws for every step of Heun, needed or not.
        using var result = sampler.SampleFrom(denoiser.Limited(ImageLimit.Clip()), draws.shape.AsSpan(1), noise, onStep: step =>
            noise.Used = Math.Min(step.Index + 2, (int)draws.shape[0]));

        Assert.Equal(golden["call_x"].shape[0], calls);
        TensorAssert.Close(golden["out"], result.clamp(-1, 1), golden.AbsoluteTolerance, golden.RelativeTolerance, name);
    }
}
