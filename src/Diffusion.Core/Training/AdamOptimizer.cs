using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Adam and AdamW over one flat buffer.</summary>
/// <remarks>Adam: arXiv:1412.6980, algorithm 1. AdamW: arXiv:1711.05101, algorithm 2. Equal to torch.optim to rounding.</remarks>
internal sealed class AdamOptimizer : IDisposable
{
    private readonly OptimizerOptions _options;

    public AdamOptimizer(Tensor values, OptimizerOptions options)
    {
        _options = options;
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
        if (_options.WeightDecay > 0 && _options.Kind == OptimizerKind.Adam)
        {
            gradients.add_(values, alpha: _options.WeightDecay);
        }
        else if (_options.WeightDecay > 0)
        {
            values.mul_(1 - (learningRate * _options.WeightDecay));
        }

        Mean.mul_(_options.Beta1).add_(gradients, alpha: 1 - _options.Beta1);
        MeanSquare.mul_(_options.Beta2).addcmul_(gradients, gradients, 1 - _options.Beta2);
        var meanCorrection = 1 - Math.Pow(_options.Beta1, step);
        var squareCorrection = 1 - Math.Pow(_options.Beta2, step);
        var denominator = MeanSquare.sqrt().mul_(1 / Math.Sqrt(squareCorrection)).add_(_options.Epsilon);
        values.addcdiv_(Mean, denominator, -learningRate / meanCorrection);
    }

    public void Dispose()
    {
        Mean.Dispose();
        MeanSquare.Dispose();
    }
}
