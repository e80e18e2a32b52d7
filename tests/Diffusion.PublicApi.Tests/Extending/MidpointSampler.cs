using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The midpoint rule: the prediction half-way in ln(σ/α) serves the whole step. Second order, two calls of the network a step.</summary>
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

    /// <summary>From one level to another as if x̂₀ stayed what it is.</summary>
    private static Tensor Move(Tensor noisy, Tensor image, NoiseLevel from, NoiseLevel to)
    {
        var share = to.Sigma / from.Sigma;
        return (noisy * share) + (image * (to.Alpha - (from.Alpha * share)));
    }
}
