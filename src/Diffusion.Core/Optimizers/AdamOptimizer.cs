using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Adam and AdamW over one flat buffer, and the averages of what it holds.</summary>
/// <remarks>
/// Adam: arXiv:1412.6980, algorithm 1. AdamW: arXiv:1711.05101, algorithm 2. Equal to torch.optim to rounding. Clipping by the global norm: arXiv:1211.5063, algorithm 1.
/// </remarks>
internal sealed class AdamOptimizer : IDisposable
{
    private const double MinNorm = 1e-6; // keeps the scale finite where all gradients are 0

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
        Mean = FlatBuffer.Create(values.device, values.shape);
        MeanSquare = FlatBuffer.Create(values.device, values.shape);
    }

    /// <summary>The moving average of the gradients.</summary>
    public Tensor Mean { get; }

    /// <summary>The moving average of the squared gradients.</summary>
    public Tensor MeanSquare { get; }

    /// <summary>Whether <see cref="FusedAdam"/> is left out, as where it does not work.</summary>
    internal bool OperationsOnly { get; init; }

    /// <summary>Updates the values, and the averages of them, in place.</summary>
    /// <param name="values">The weights.</param>
    /// <param name="gradients">Their gradients; they may be changed.</param>
    /// <param name="norm">The norm of all gradients together.</param>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="step">The number of this step, from 1.</param>
    /// <param name="averages">Averages of the weights and the weight of the new ones in each.</param>
    public void Update(Tensor values, Tensor gradients, double norm, double learningRate, long step, IReadOnlyList<(Tensor Average, double Weight)> averages)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var factor = _options.GradientClip is { } limit ? Math.Min(1, limit / (norm + MinNorm)) : 1;
        var meanFactor = learningRate / (1 - Math.Pow(_options.Beta1, step));
        var rootFactor = 1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, step));
        var decay = _options.WeightDecay * (_options.Kind == OptimizerKind.Adam ? 1 : learningRate);
        if (!OperationsOnly && FlatBuffer.Handles(values))
        {
            new FusedAdam(_options.Kind, (float)factor, ((float)_options.Beta1, (float)(1 - _options.Beta1)), ((float)_options.Beta2, (float)(1 - _options.Beta2)), (float)_options.Epsilon, (float)meanFactor, (float)rootFactor, (float)decay)
                .Update(values, gradients, Mean, MeanSquare, _decayed, averages);
            return;
        }

        using var scale = factor.ToScalar();
        using var old = _options.Beta1.ToScalar();
        using var now = (1 - _options.Beta1).ToScalar();
        using var oldSquare = _options.Beta2.ToScalar();
        using var nowSquare = (1 - _options.Beta2).ToScalar();
        using var root = rootFactor.ToScalar();
        using var epsilon = _options.Epsilon.ToScalar();
        using var mean = (-meanFactor).ToScalar();
        gradients.mul_(scale);
        Decay(values, gradients, decay);
        Mean.mul_(old).add_(gradients, alpha: now);
        MeanSquare.mul_(oldSquare).addcmul_(gradients, gradients, nowSquare);
        values.addcdiv_(Mean, MeanSquare.sqrt().mul_(root).add_(epsilon, Scalars.One), mean);
        foreach (var (average, weight) in averages)
        {
            using var share = tensor(weight);
            average.lerp_(values, share);
        }
    }

    public void Dispose()
    {
        _decayed?.Dispose();
        Mean.Dispose();
        MeanSquare.Dispose();
    }

    private void Decay(Tensor values, Tensor gradients, double decay)
    {
        if (decay == 0)
        {
            return;
        }

        var target = _options.Kind == OptimizerKind.Adam ? gradients : values;
        using var factor = (_options.Kind == OptimizerKind.Adam ? decay : -decay).ToScalar();
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
