using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Adam and AdamW over one flat buffer.</summary>
/// <remarks>
/// Adam: arXiv:1412.6980, algorithm 1. AdamW: arXiv:1711.05101, algorithm 2. Equal to torch.optim to rounding. Clipping by the global norm: arXiv:1211.5063, algorithm 1,
/// without waiting for the device.
/// </remarks>
internal sealed class AdamOptimizer : IDisposable
{
    private const double LeastNorm = 1e-6; // keeps the scale finite where all gradients are 0

    private readonly OptimizerOptions _options;
    private readonly Tensor? _decayed;

    /// <param name="values">The buffer of all weights.</param>
    /// <param name="options">The kind and its numbers.</param>
    /// <param name="decayed">1 where weight decay applies, 0 elsewhere, the shape of the buffer; <see langword="null"/> for everywhere. Taken over.</param>
    public AdamOptimizer(Tensor values, OptimizerOptions options, Tensor? decayed = null)
    {
        _options = options;
        _decayed = decayed;
        using var noGradients = no_grad();
        Mean = zeros_like(values).DetachFromDisposeScope();
        MeanSquare = zeros_like(values).DetachFromDisposeScope();
    }

    /// <summary>The moving average of the gradients.</summary>
    public Tensor Mean { get; }

    /// <summary>The moving average of the squared gradients.</summary>
    public Tensor MeanSquare { get; }

    /// <summary>Updates the values in place.</summary>
    /// <param name="values">The weights.</param>
    /// <param name="gradients">Their gradients; changed where weight decay is part of them.</param>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="step">The number of this step, from 1.</param>
    public void Update(Tensor values, Tensor gradients, double learningRate, long step)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        if (_options.GradientClip is { } limit)
        {
            gradients.mul_((limit / (gradients.norm() + LeastNorm)).clamp_max(1));
        }

        Decay(values, gradients, learningRate);

        Mean.mul_(_options.Beta1).add_(gradients, alpha: 1 - _options.Beta1);
        MeanSquare.mul_(_options.Beta2).addcmul_(gradients, gradients, 1 - _options.Beta2);
        var meanCorrection = 1 - Math.Pow(_options.Beta1, step);
        var squareCorrection = 1 - Math.Pow(_options.Beta2, step);
        var denominator = MeanSquare.sqrt().mul_(1 / Math.Sqrt(squareCorrection)).add_(_options.Epsilon);
        values.addcdiv_(Mean, denominator, -learningRate / meanCorrection);
    }

    public void Dispose()
    {
        _decayed?.Dispose();
        Mean.Dispose();
        MeanSquare.Dispose();
    }

    private void Decay(Tensor values, Tensor gradients, double learningRate)
    {
        if (_options.WeightDecay == 0)
        {
            return;
        }

        var (target, factor) = _options.Kind == OptimizerKind.Adam ? (gradients, _options.WeightDecay) : (values, -learningRate * _options.WeightDecay);
        if (_decayed is null)
        {
            target.add_(values, alpha: factor);
        }
        else
        {
            target.addcmul_(values, _decayed, factor);
        }
    }
}
