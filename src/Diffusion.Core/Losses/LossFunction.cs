using static TorchSharp.torch;

namespace Diffusion;

/// <summary>How far a prediction is from its target, as one value for each sample. Derive from it to plug in one of your own.</summary>
/// <remarks>
/// Squared error: Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 14, as a mean over channels and pixels instead of a sum.
/// </remarks>
public abstract class LossFunction
{
    /// <summary>The mean squared error. The default.</summary>
    public static LossFunction Mse { get; } = new SquaredError();

    /// <summary>The mean absolute error.</summary>
    public static LossFunction L1 { get; } = new ElementLoss("l1", static (prediction, target) => nn.functional.l1_loss(prediction, target, nn.Reduction.None));

    /// <summary>The name that configuration files use.</summary>
    public abstract string Name { get; }

    /// <summary>The name with what tells losses of that name apart.</summary>
    internal virtual string Description => Name;

    /// <summary>The mean of d²/2 where |d| ≤ δ and δ·(|d| − δ/2) beyond, with d the error: squared for small errors, absolute for large ones.</summary>
    /// <param name="delta">δ, above 0; 1 by default.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ArgumentOutOfRangeException">δ is not a finite number above 0.</exception>
    public static LossFunction Huber(double delta = 1) => double.IsFinite(delta) && delta > 0
        ? new ElementLoss("huber", (prediction, target) => nn.functional.huber_loss(prediction, target, delta, nn.Reduction.None), delta)
        : throw new ArgumentOutOfRangeException(nameof(delta), delta, "Delta must be a finite number above 0.");

    /// <summary>The loss of each sample.</summary>
    /// <param name="prediction">What the network said, [B, …].</param>
    /// <param name="target">What it should have said, the shape of <paramref name="prediction"/>.</param>
    /// <returns>[B], for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public Tensor PerSample(Tensor prediction, Tensor target)
    {
        Check(prediction, target);
        return Evaluate(prediction, target);
    }

    /// <summary>The mean of <see cref="PerSample"/> over the batch.</summary>
    /// <param name="prediction">What the network said, [B, …].</param>
    /// <param name="target">What it should have said, the shape of <paramref name="prediction"/>.</param>
    /// <returns>A scalar, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public Tensor Mean(Tensor prediction, Tensor target)
    {
        Check(prediction, target);
        var (mean, samples) = Evaluate(prediction, target, withSamples: false);
        samples?.Dispose();
        return mean;
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>The loss of each sample; the shapes are those of one batch.</summary>
    /// <param name="prediction">What the network said, [B, …].</param>
    /// <param name="target">What it should have said.</param>
    /// <returns>[B].</returns>
    protected abstract Tensor Evaluate(Tensor prediction, Tensor target);

    /// <summary>The mean and, without gradients, the loss of each sample, evaluated once.</summary>
    internal (Tensor Mean, Tensor PerSample) MeanAndSamples(Tensor prediction, Tensor target)
    {
        Check(prediction, target);
        var (mean, samples) = Evaluate(prediction, target, withSamples: true);
        return (mean, samples!);
    }

    private protected virtual (Tensor Mean, Tensor? PerSample) Evaluate(Tensor prediction, Tensor target, bool withSamples)
    {
        using var losses = Evaluate(prediction, target);
        return (losses.mean(), withSamples ? losses.detach() : null);
    }

    private static void Check(Tensor prediction, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        ArgumentNullException.ThrowIfNull(target);
        Guard.SameShape(target, prediction);
        if (prediction.dim() == 0)
        {
            throw new ArgumentException("A batch has a dimension of samples; the prediction is a scalar.", nameof(prediction));
        }
    }

    private sealed class ElementLoss(string name, Func<Tensor, Tensor, Tensor> loss, double? parameter = null) : LossFunction
    {
        public override string Name => name;

        internal override string Description => parameter is { } number ? FormattableString.Invariant($"{name} {number:R}") : name;

        protected override Tensor Evaluate(Tensor prediction, Tensor target)
        {
            using var scope = NewDisposeScope();
            return PerImage.Mean(loss(prediction, target)).MoveToOuterDisposeScope();
        }
    }

    private sealed class SquaredError : LossFunction
    {
        public override string Name => "mse";

        protected override Tensor Evaluate(Tensor prediction, Tensor target)
        {
            using var scope = NewDisposeScope();
            return PerImage.Mean(Elements(prediction, target)).MoveToOuterDisposeScope();
        }

        // The mean over all elements, not over the samples' means: the two round differently.
        private protected override (Tensor Mean, Tensor? PerSample) Evaluate(Tensor prediction, Tensor target, bool withSamples)
        {
            using var scope = NewDisposeScope();
            var elements = Elements(prediction, target);
            return (elements.mean().MoveToOuterDisposeScope(), withSamples ? PerImage.Mean(elements.detach()).MoveToOuterDisposeScope() : null);
        }

        private static Tensor Elements(Tensor prediction, Tensor target) => nn.functional.mse_loss(prediction, target, nn.Reduction.None);
    }
}
