namespace Diffusion;

/// <summary>Multistep consistency sampling: each step goes to the predicted image and noises it anew to the next level. For networks distilled to it, 1 to 8 steps.</summary>
/// <remarks>
/// Latent Consistency Models, arXiv:2310.04378, algorithm 3 and Eq. 9: the image is c_out·x̂₀ + c_skip·x with c_skip = σ_d²/((s·t)² + σ_d²) and
/// c_out = s·t/√((s·t)² + σ_d²), s = 10, σ_d = ½, t the timestep.
/// </remarks>
public sealed class LcmSampler : Sampler
{
    private readonly double _timestepScale;
    private readonly double _sigmaData;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps.</param>
    /// <param name="spacing">Where they lie; by default every (50/steps)-th of the 50 timesteps the distillation used (<see cref="TimestepGrid.Distilled"/>).</param>
    /// <param name="timestepScale">s, above 0; 10 by default.</param>
    /// <param name="sigmaData">σ_d, above 0; 0.5 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public LcmSampler(int? steps = null, StepSpacing? spacing = null, double timestepScale = 10, double sigmaData = 0.5)
        : base(steps ?? 4, spacing ?? StepSpacing.Timesteps("distilled", (timesteps, count) => TimestepGrid.Distilled(timesteps, count)))
    {
        _timestepScale = double.IsFinite(timestepScale) && timestepScale > 0 ? timestepScale : throw new ArgumentOutOfRangeException(nameof(timestepScale), timestepScale, "The scale of the timestep must be a finite number above 0.");
        _sigmaData = double.IsFinite(sigmaData) && sigmaData > 0 ? sigmaData : throw new ArgumentOutOfRangeException(nameof(sigmaData), sigmaData, "The standard deviation of the images must be a finite number above 0.");
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var time = context.From.Timestep * _timestepScale;
        var total = (time * time) + (_sigmaData * _sigmaData);
        var image = StepMath.Sum((time / Math.Sqrt(total), context.Denoise()), (_sigmaData * _sigmaData / total, context.Noisy));
        return new StepResult(
            context.To.Sigma == 0 ? image.clone() : StepMath.Sum((context.To.Alpha, image), (context.To.Sigma, context.DrawNoise())),
            image);
    }
}
