using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>
/// Churn in <see cref="Dpm2Sampler"/>, s_churn of k-diffusion's sample_dpm_2 (crowsonkb/k-diffusion, commit 4601bf0, k_diffusion/sampling.py), whose arithmetic is written out
/// once more here in double precision.
/// </summary>
public sealed class Dpm2ChurnTests
{
    private static readonly double[] s_sigmas = [14.6, 6.1, 2.4, 0.9, 0.3, 0.04, 0];

    [Theory]
    [InlineData(0, 0, 1000, 1)]
    [InlineData(1, 0, 1000, 1)]
    [InlineData(2, 0.05, 10, 1.003)] // neither the first nor the last
    [InlineData(40, 0.5, 1000, 0.97)] // as much as there may be
    public void Continue_Churn_IsThatOfTheReference(double amount, double min, double max, double scale)
    {
        using var scope = NewDisposeScope();
        var steps = s_sigmas.Length - 1;
        var draws = stack([.. Enumerable.Range(0, steps).Select(i => Values(Math.Cos(i)))]);
        var schedule = new SigmaNoiseSchedule(s_sigmas.Where(sigma => sigma > 0).Reverse());
        var spacing = StepSpacing.Through(s_sigmas.Select(sigma => sigma > 0 ? schedule.LevelWithRatio(sigma) : NoiseLevel.Clean));
        var x = Values(14.6);
        using var noise = new ReplayNoise(draws);
        using var drawn = new Dpm2Sampler(null, new() { Spacing = spacing, Churn = new Churn(amount, min, max, scale) })
            .Continue(new FunctionDenoiser(schedule, (noisy, level) => Denoised(noisy, level.Sigma)), x, noise);

        var used = 0;
        for (var i = 0; i < steps; i++)
        {
            var gamma = s_sigmas[i] >= min && s_sigmas[i] <= max ? Math.Min(amount / steps, Math.Sqrt(2) - 1) : 0;
            var raised = s_sigmas[i] * (gamma + 1);
            x = gamma > 0 ? x + (draws[used++] * (scale * Math.Sqrt((raised * raised) - (s_sigmas[i] * s_sigmas[i])))) : x;
            var slope = (x - Denoised(x, raised)) / raised;
            if (s_sigmas[i + 1] == 0)
            {
                x = x + (slope * -raised);
                continue;
            }

            var middle = Math.Exp((Math.Log(raised) + Math.Log(s_sigmas[i + 1])) / 2);
            var inner = x + (slope * (middle - raised));
            x = x + ((inner - Denoised(inner, middle)) / middle * (s_sigmas[i + 1] - raised));
        }

        Assert.Equal(used, noise.Used);
        TensorAssert.Close(x, drawn, 1e-12, 1e-12, "sample_dpm_2");
    }

    private static Tensor Denoised(Tensor x, double sigma) => (x * (0.5 / (sigma * sigma))).tanh() * 0.5;

    private static Tensor Values(double scale) => (arange(32, dtype: ScalarType.Float64).view(2, 1, 4, 4) * 0.7).sin() * scale;
}
