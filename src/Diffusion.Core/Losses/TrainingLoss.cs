using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The loss of a network in one run.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1: x₀ → (t, ε) → x_t → prediction → loss, with what <see cref="TrainingObjective"/> adds.
/// The loss of a batch is the mean of loss × weight × importance over its samples.
/// </remarks>
internal sealed class TrainingLoss
{
    private const double DefaultConditionDropout = 0.1;

    private readonly NetworkConditions _network;
    private readonly INoiseSchedule _schedule;
    private readonly Parameterization _parameterization;
    private readonly TrainingObjective _objective;
    private readonly VariationalBound? _bound;

    /// <summary>Joins a network and its objective.</summary>
    /// <param name="network">Takes In·x_t [B, C, H, W], or [B, 2·C, H, W] with self-conditioning, timesteps [B] and what conditions it has; returns [B, C, H, W], or [B, 2·C, H, W] with a learned variance.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="parameterization">What the network predicts.</param>
    /// <param name="objective">What it is trained for.</param>
    /// <exception cref="ArgumentException">The objective has mistakes; the message lists all.</exception>
    public TrainingLoss(NetworkConditions network, INoiseSchedule schedule, Parameterization parameterization, TrainingObjective objective)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        objective.ThrowIfInvalid();
        (_network, _schedule, _parameterization, _objective) = (network, schedule, parameterization, objective);
        _bound = objective.Variational is { } term ? new VariationalBound(schedule, term.Variance) : null;
        Draws = new TrainingDraws(objective, schedule, ConditionDropout(network, objective));
    }

    /// <summary>What the network takes.</summary>
    public NetworkConditions Conditions => _network;

    /// <summary>What is random in a batch.</summary>
    public TrainingDraws Draws { get; }

    /// <summary>The share of samples that are trained with the null condition.</summary>
    /// <exception cref="ArgumentException">The objective asks for it, and there is none.</exception>
    public static double ConditionDropout(NetworkConditions network, TrainingObjective objective) => network.HasNone
        ? objective.ConditionDropout ?? DefaultConditionDropout
        : objective.ConditionDropout > 0 || (network.HasPartOfNone && objective.ConditionDropout is null)
            ? throw new ArgumentException(
                FormattableString.Invariant($"{nameof(objective.ConditionDropout)} is {objective.ConditionDropout ?? DefaultConditionDropout}, and there is no null condition for all that the network takes to train in place of the samples' own: give nullCondition a label and a context where it takes both, or set {nameof(objective.ConditionDropout)} to 0."), nameof(objective))
            : 0;

    /// <summary>The mean, to take gradients of, and the loss of each sample, weighed by its level but not by its importance, without gradients: from one pass.</summary>
    /// <param name="batch">x₀, [B, C, H, W], on the network's device, and its conditions.</param>
    /// <param name="draw">What was drawn for the batch.</param>
    /// <returns>A scalar and [B], for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit together.</exception>
    /// <exception cref="InvalidOperationException">Network and objective do not fit together.</exception>
    public (Tensor Mean, Tensor PerSample) Evaluate(ImageBatch batch, TrainingDraw draw)
    {
        using var scope = NewDisposeScope();
        var pass = Forward(batch, draw);
        var weights = Weights(draw);
        if (_bound is null && Draws.History is null && Array.TrueForAll(weights, weight => weight == 1) && draw.Timesteps.Weights.All(weight => weight == 1))
        {
            var (mean, samples) = _objective.Loss.MeanAndSamples(pass.Prediction, pass.Target);
            return (mean.MoveToOuterDisposeScope(), samples.MoveToOuterDisposeScope());
        }

        var losses = PerSample(batch, draw, pass, weights);
        return ((losses * Row(losses, draw.Timesteps.Weights)).mean().MoveToOuterDisposeScope(), losses.detach().MoveToOuterDisposeScope());
    }

    /// <summary>The loss of each sample alone.</summary>
    /// <inheritdoc cref="Evaluate"/>
    /// <returns>[B], for the caller to dispose.</returns>
    public Tensor PerSample(ImageBatch batch, TrainingDraw draw)
    {
        using var scope = NewDisposeScope();
        return PerSample(batch, draw, Forward(batch, draw), Weights(draw)).MoveToOuterDisposeScope();
    }

    private Tensor PerSample(ImageBatch batch, TrainingDraw draw, Pass pass, double[] weights)
    {
        if (_objective.Variational is not { } term)
        {
            return Weighed();
        }

        var timesteps = draw.Timesteps.Timesteps ?? throw new InvalidOperationException(
            $"The variational bound has a term for each timestep; the distribution '{_objective.Timesteps.Name}' draws levels between them.");
        var prediction = term.IsWhole ? pass.Prediction : pass.Prediction.detach();
        using var weight = (term.Weight * _schedule.Timesteps).ToScalar();
        var bound = _bound!.Terms(batch.Images, pass.Noisy, new Prediction(_parameterization.ToImage(pass.Noisy, prediction, pass.Levels), pass.Variance), timesteps) * weight;
        return term.IsWhole ? bound : Weighed().Plus(bound);

        Tensor Weighed()
        {
            var losses = _objective.Loss.PerSample(pass.Prediction, pass.Target);
            return losses * Row(losses, weights);
        }
    }

    private Pass Forward(ImageBatch batch, TrainingDraw draw)
    {
        var images = batch.Images;
        NoiseLevel[] levels = [.. draw.Timesteps.Levels];
        var noise = Noise(images, draw);
        var noisy = ForwardProcess.AddNoise(images, noise, levels);
        var timesteps = NetworkTimesteps.Of(levels, noisy.device);
        var input = _parameterization.ToInput(noisy, levels);
        var (labels, context) = (_network.LabelsOf(batch, draw.Dropped), _network.ContextOf(batch, draw.Dropped));
        if (_objective.SelfConditioning is not null)
        {
            input = cat([draw.SelfConditioned ? Estimate() : zeros_like(noisy), input], 1);
        }

        var (prediction, variance) = NetworkOutput.Split(noisy, _network.Call(input, timesteps, labels, context));
        return variance is null || _bound is not null
            ? new Pass(levels, noisy, prediction, variance, _parameterization.Target(images, noise, levels))
            : throw new InvalidOperationException("The network returns twice the channels, a prediction and a variance; the objective has no variational term to train the variance with.");

        Tensor Estimate()
        {
            using var noGradients = no_grad();
            var (first, _) = NetworkOutput.Split(noisy, _network.Call(cat([zeros_like(noisy), input], 1), timesteps, labels, context));
            return _parameterization.ToImage(noisy, first, levels);
        }
    }

    private Tensor Noise(Tensor images, TrainingDraw draw)
    {
        Guard.SameShape(images, draw.Noise);
        var noise = draw.Noise.to(images.device);
        if (_objective.OffsetNoise > 0)
        {
            var offset = draw.Offset ?? throw new ArgumentException(FormattableString.Invariant($"The objective has offset noise of {_objective.OffsetNoise}; the draw has none."), nameof(draw));
            using var deviation = _objective.OffsetNoise.ToScalar();
            noise = noise.Plus(offset.to(images.device).view(images.shape[0], -1, 1, 1) * deviation);
        }

        return _objective.Immiscible && !draw.KeepsNoise ? noise[tensor(NoiseAssignment.Nearest(images, noise).Select(index => (long)index).ToArray(), ScalarType.Int64).to(images.device)] : noise;
    }

    private double[] Weights(TrainingDraw draw) => [.. draw.Timesteps.Levels.Select(level => _objective.Weighting.At(level, _parameterization))];

    private static Tensor Row(Tensor losses, IReadOnlyList<double> values) => PerImage.Values(losses, [.. values]);

    private readonly record struct Pass(NoiseLevel[] Levels, Tensor Noisy, Tensor Prediction, Tensor? Variance, Tensor Target);
}
