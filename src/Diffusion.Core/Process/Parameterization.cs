using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What the network predicts, as three coefficients of the noise level. Derive from it to plug in one of your own.</summary>
/// <remarks>
/// ε: Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 12 and 14.
/// v: Progressive Distillation, arXiv:2202.00512, appendix D.
/// Flow: Flow Straight and Fast, arXiv:2209.03003, Eq. 1.
/// Karras: Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, table 1, for x_t/α and σ/α.
/// </remarks>
public abstract class Parameterization
{
    private const double NoImage = 1e-13;

    /// <summary>The network predicts the noise ε. The default. At pure noise (α = 0) ε says nothing of the image, and x̂₀ is 0, the middle of the range.</summary>
    public static Parameterization Epsilon { get; } = new LinearParameterization(
        "epsilon", level => level.Alpha > 0 ? new(1 / level.Alpha, -level.Sigma / level.Alpha, 1) : new(0, 0, 1));

    /// <summary>The network predicts the clean image x₀.</summary>
    public static Parameterization Image { get; } = new LinearParameterization("image", _ => new(0, 1, 1));

    /// <summary>The network predicts the velocity v = α·ε − σ·x₀.</summary>
    public static Parameterization Velocity { get; } = new LinearParameterization("velocity", level => new(level.Alpha, -level.Sigma, 1));

    /// <summary>The network predicts the flow's direction ε − x₀. Finite at every level, pure noise included.</summary>
    public static Parameterization Flow { get; } =
        new LinearParameterization("flow", level => new(1 / (level.Alpha + level.Sigma), -level.Sigma / (level.Alpha + level.Sigma), 1));

    /// <summary>The parameterizations of this library, in the forms that need no further number.</summary>
    public static IReadOnlyList<Parameterization> All { get; } = [Epsilon, Image, Velocity, Flow, Karras()];

    /// <summary>The name that configuration files use.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// EDM preconditioning: input and target of the network have unit variance at every level, if the images have the given one.
    /// </summary>
    /// <param name="sigmaData">The standard deviation of the images, above 0; 0.5 by default.</param>
    /// <returns>The parameterization.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The standard deviation is not a finite number above 0.</exception>
    public static Parameterization Karras(double sigmaData = 0.5)
    {
        if (!double.IsFinite(sigmaData) || sigmaData <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(sigmaData), sigmaData, "The standard deviation of the images must be a finite number above 0.");
        }

        return new LinearParameterization("karras", level =>
        {
            var data = sigmaData * level.Alpha;
            var total = (level.Sigma * level.Sigma) + (data * data);
            return new(sigmaData * data / total, level.Sigma * sigmaData / Math.Sqrt(total), 1 / Math.Sqrt(total));
        });
    }

    /// <summary>The network predicts the mean of x_{t−1}: the posterior of the step to the previous timestep, solved for x₀.</summary>
    /// <param name="schedule">The schedule, for the level before each timestep.</param>
    /// <returns>The parameterization; for whole timesteps only.</returns>
    public static Parameterization Previous(INoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new LinearParameterization("previous", level =>
        {
            var before = level.Timestep >= 1 ? schedule.LevelAt((int)level.Timestep - 1) : NoiseLevel.Clean;
            var posterior = Posterior.Between(level, before);
            return new(-posterior.NoisyWeight / posterior.ImageWeight, 1 / posterior.ImageWeight, 1);
        });
    }

    /// <summary>The coefficients at a level.</summary>
    /// <param name="level">A level with noise.</param>
    /// <returns>Skip, Out and In.</returns>
    public abstract PredictionCoefficients At(NoiseLevel level);

    /// <summary>What the network should have predicted, (x₀ − Skip·x_t)/Out: the target of the training loss.</summary>
    /// <param name="images">x₀, [B, …].</param>
    /// <param name="noise">ε, the shape of <paramref name="images"/>.</param>
    /// <param name="levels">B levels, or one for the whole batch.</param>
    /// <returns>The target, the shape, type and device of <paramref name="images"/>.</returns>
    public Tensor Target(Tensor images, Tensor noise, ReadOnlySpan<NoiseLevel> levels)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(noise);
        Guard.SameShape(images, noise);
        using var scope = NewDisposeScope();
        // With x_t = α·x₀ + σ·ε put in, nothing is divided by a small number after it was rounded: for ε the target is ε to the bit.
        var imageWeight = PerImage.Coefficients(images, levels, level => TargetWeights(level).Image);
        var noiseWeight = PerImage.Coefficients(images, levels, level => TargetWeights(level).Noise);
        return (imageWeight * images).addcmul_(noiseWeight, noise, Scalars.One).MoveToOuterDisposeScope();
    }

    /// <summary>What the network is given, In·x_t.</summary>
    /// <param name="noisy">x_t, [B, …].</param>
    /// <param name="levels">B levels, or one for the whole batch.</param>
    /// <returns>The input, the shape, type and device of <paramref name="noisy"/>, for the caller to dispose.</returns>
    public Tensor ToInput(Tensor noisy, ReadOnlySpan<NoiseLevel> levels)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        foreach (var level in levels)
        {
            if (At(level).In != 1)
            {
                using var factor = PerImage.Coefficients(noisy, levels, each => At(each).In);
                return factor * noisy;
            }
        }

        return noisy.alias();
    }

    /// <summary>x̂₀ from the noisy image and the network's output.</summary>
    /// <param name="noisy">x_t, [B, …].</param>
    /// <param name="output">The network's output, the shape of <paramref name="noisy"/>.</param>
    /// <param name="levels">B levels, or one for the whole batch.</param>
    /// <returns>x̂₀, not clipped, the shape, type and device of <paramref name="noisy"/>.</returns>
    public Tensor ToImage(Tensor noisy, Tensor output, ReadOnlySpan<NoiseLevel> levels)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        ArgumentNullException.ThrowIfNull(output);
        Guard.SameShape(noisy, output);
        using var scope = NewDisposeScope();
        var skip = PerImage.Coefficients(noisy, levels, level => At(level).Skip);
        var scale = PerImage.Coefficients(noisy, levels, level => At(level).Out);
        return (skip * noisy).addcmul_(scale, output, Scalars.One).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>The target as a sum of image and noise. At α = 0 the limit, taken very near to it.</summary>
    private (double Image, double Noise) TargetWeights(NoiseLevel level)
    {
        var near = level.Alpha > 0 ? level : new NoiseLevel(NoImage * level.Sigma, level.Sigma, level.Timestep);
        var (skip, scale, _) = At(near);
        return (Snap((1 - (skip * near.Alpha)) / scale), Snap(-skip * near.Sigma / scale));
    }

    /// <summary>Removes the last bits of rounding, so that weights meant to be 0 or 1 are.</summary>
    private static double Snap(double weight) =>
        Math.Abs(weight - Math.Round(weight)) < 1e-12 ? Math.Round(weight) : weight;

    private sealed class LinearParameterization(string name, Func<NoiseLevel, PredictionCoefficients> at) : Parameterization
    {
        public override string Name => name;

        public override PredictionCoefficients At(NoiseLevel level) => at(level);
    }
}
