using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What the network predicts, as three coefficients of the noise level. Derive from it to plug in one of your own.</summary>
/// <remarks>
/// ε: Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 12 and 14.
/// v: Progressive Distillation, arXiv:2202.00512, appendix D.
/// </remarks>
public abstract class Parameterization
{
    /// <summary>The network predicts the noise ε. The default.</summary>
    public static Parameterization Epsilon { get; } = new LinearParameterization("epsilon", level => new(1 / level.Alpha, -level.Sigma / level.Alpha, 1));

    /// <summary>The network predicts the clean image x₀.</summary>
    public static Parameterization Image { get; } = new LinearParameterization("image", _ => new(0, 1, 1));

    /// <summary>The network predicts the velocity v = α·ε − σ·x₀.</summary>
    public static Parameterization Velocity { get; } = new LinearParameterization("velocity", level => new(level.Alpha, -level.Sigma, 1));

    /// <summary>The parameterizations of this library.</summary>
    public static IReadOnlyList<Parameterization> All { get; } = [Epsilon, Image, Velocity];

    /// <summary>The name that configuration files use.</summary>
    public abstract string Name { get; }

    /// <summary>The coefficients at a level.</summary>
    /// <param name="level">A level with noise; for ε also with α &gt; 0.</param>
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
        var imageWeight = PerImage.Coefficients(images, levels, level => Snap((1 - (At(level).Skip * level.Alpha)) / At(level).Out));
        var noiseWeight = PerImage.Coefficients(images, levels, level => Snap(-At(level).Skip * level.Sigma / At(level).Out));
        return (imageWeight * images).addcmul_(noiseWeight, noise, 1).MoveToOuterDisposeScope();
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
        return (skip * noisy).addcmul_(scale, output, 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>Removes the last bits of rounding, so that weights meant to be 0 or 1 are.</summary>
    private static double Snap(double weight) =>
        Math.Abs(weight - Math.Round(weight)) < 1e-12 ? Math.Round(weight) : weight;

    private sealed class LinearParameterization(string name, Func<NoiseLevel, PredictionCoefficients> at) : Parameterization
    {
        public override string Name => name;

        public override PredictionCoefficients At(NoiseLevel level) => at(level);
    }
}
