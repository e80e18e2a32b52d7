using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The midpoint rule in ln(σ/α): each step uses the x̂₀ of its middle. Second order, two network calls a step.</summary>
internal sealed class MidpointSampler(int? steps = null, SamplerOptions? options = null) : Sampler(steps, options)
{
    protected override StepResult Step(StepContext context)
    {
        var (from, to) = (context.From, context.To);
        var image = context.Denoise();
        if (from.Alpha == 0 || to.Sigma == 0)
        {
            return new StepResult(Move(context.Noisy, image, from, to), image);
        }

        var middle = context.Denoiser.Schedule.LevelWithRatio(Math.Sqrt(from.Ratio * to.Ratio));
        var halfway = context.Denoise(Move(context.Noisy, image, from, middle), middle);
        return new StepResult(Move(context.Noisy, halfway, from, to), image);
    }

    /// <summary>x at another level, with x̂₀ held constant.</summary>
    private static Tensor Move(Tensor noisy, Tensor image, NoiseLevel from, NoiseLevel to)
    {
        var share = to.Sigma / from.Sigma;
        return (noisy * share) + (image * (to.Alpha - (from.Alpha * share)));
    }
}
