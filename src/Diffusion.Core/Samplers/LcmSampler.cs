namespace Diffusion;

/// <summary>Multistep consistency sampling: each step adds new noise of the next level to the predicted image. For networks distilled for it, 1 to 8 steps.</summary>
/// <remarks>
/// Latent Consistency Models, arXiv:2310.04378, algorithm 3 and Eq. 9: the image is c_out·x̂₀ + c_skip·x with c_skip = σ_d²/((s·t)² + σ_d²) and
/// c_out = s·t/√((s·t)² + σ_d²), s = 10, σ_d = ½, t the timestep.
/// </remarks>
public sealed class LcmSampler : Sampler
{
    private static readonly StepSpacing s_distilled = StepSpacing.Timesteps("distilled", (timesteps, count) => TimestepGrid.Distilled(timesteps, count));

    private readonly LcmOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; 4 by default.</param>
    /// <param name="options">Spacing, by default every (50/steps)-th of the 50 timesteps of the distillation, and the boundary condition.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public LcmSampler(int? steps = null, LcmOptions? options = null)
        : base(steps ?? 4, options is { Spacing: not null } ? options : (options ?? new LcmOptions()) with { Spacing = s_distilled }) => _options = options ?? new LcmOptions();

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var time = context.From.Timestep * _options.TimestepScaling;
        var sigmaData = _options.SigmaData;
        var total = (time * time) + (sigmaData * sigmaData);
        var image = StepMath.Sum((time / Math.Sqrt(total), context.Denoise()), (sigmaData * sigmaData / total, context.Noisy));
        return new StepResult(
            context.To.Sigma == 0 ? image.clone() : StepMath.Sum((context.To.Alpha, image), (context.To.Sigma, context.DrawNoise())),
            image);
    }
}
