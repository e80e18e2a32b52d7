using static TorchSharp.torch;

namespace Diffusion;

/// <summary>How far a prediction is from its target, as one number an image. Derive from it to plug in one of your own.</summary>
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

    /// <summary>The mean of d²/2 where |d| ≤ δ and δ·(|d| − δ/2) beyond, with d the error: squared for small errors, absolute for large ones.</summary>
    /// <param name="delta">δ, above 0; 1 by default.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ArgumentOutOfRangeException">δ is not a finite number above 0.</exception>
    public static LossFunction Huber(double delta = 1) => double.IsFinite(delta) && delta > 0
        ? new ElementLoss("huber", (prediction, target) => nn.functional.huber_loss(prediction, target, delta, nn.Reduction.None))
        : throw new ArgumentOutOfRangeException(nameof(delta), delta, "Delta must be a finite number above 0.");

    /// <summary>The loss of each image.</summary>
    /// <param name="prediction">What the network said, [B, …].</param>
    /// <param name="target">What it should have said, the shape of <paramref name="prediction"/>.</param>
    /// <returns>[B], for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public Tensor OfImages(Tensor prediction, Tensor target)
    {
        Check(prediction, target);
        return Evaluate(prediction, target);
    }

    /// <summary>The mean of <see cref="OfImages"/> over the batch.</summary>
    /// <param name="prediction">What the network said, [B, …].</param>
    /// <param name="target">What it should have said, the shape of <paramref name="prediction"/>.</param>
    /// <returns>A scalar, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public Tensor Mean(Tensor prediction, Tensor target)
    {
        Check(prediction, target);
        return EvaluateMean(prediction, target);
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>The loss of each image; the shapes are those of one batch.</summary>
    /// <param name="prediction">What the network said, [B, …].</param>
    /// <param name="target">What it should have said.</param>
    /// <returns>[B].</returns>
    protected abstract Tensor Evaluate(Tensor prediction, Tensor target);

    private protected virtual Tensor EvaluateMean(Tensor prediction, Tensor target)
    {
        using var losses = Evaluate(prediction, target);
        return losses.mean();
    }

    private static void Check(Tensor prediction, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        ArgumentNullException.ThrowIfNull(target);
        Guard.SameShape(target, prediction);
        if (prediction.dim() == 0)
        {
            throw new ArgumentException("A batch has a dimension of images; the prediction is a scalar.", nameof(prediction));
        }
    }

    private sealed class ElementLoss(string name, Func<Tensor, Tensor, Tensor> loss) : LossFunction
    {
        public override string Name => name;

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
            return PerImage.Mean(nn.functional.mse_loss(prediction, target, nn.Reduction.None)).MoveToOuterDisposeScope();
        }

        // One operation, so that a run without weights gives the same bits as one mean over everything.
        private protected override Tensor EvaluateMean(Tensor prediction, Tensor target) => nn.functional.mse_loss(prediction, target);
    }
}
