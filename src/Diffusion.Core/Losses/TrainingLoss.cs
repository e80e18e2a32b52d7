using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The loss of a network in one run: what the trainer calls for each batch, and what a training loop of your own may call.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1: x₀ → (t, ε) → x_t → prediction → loss, with what <see cref="TrainingObjective"/> adds.
/// The loss of a batch is the mean of loss × weight × importance over its images.
/// </remarks>
public sealed class TrainingLoss
{
    private readonly Func<Tensor, Tensor, Tensor?, Tensor> _network;
    private readonly LabelTrainingOptions? _labels;
    private readonly INoiseSchedule _schedule;
    private readonly Parameterization _parameterization;
    private readonly TrainingObjective _objective;
    private readonly VariationalBound? _bound;

    /// <summary>Joins a network and its objective.</summary>
    /// <param name="network">Takes In·x_t [B, C, H, W], or [B, 2·C, H, W] with self-conditioning, and timesteps [B]; returns [B, C, H, W], or [B, 2·C, H, W] with a learned variance.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="parameterization">What the network predicts.</param>
    /// <param name="objective">What it is trained for.</param>
    /// <exception cref="ArgumentException">The objective has mistakes; the message lists all.</exception>
    public TrainingLoss(nn.Module<Tensor, Tensor, Tensor> network, INoiseSchedule schedule, Parameterization parameterization, TrainingObjective objective)
        : this((input, timesteps, _) => network.call(input, timesteps), null, schedule, parameterization, objective) =>
        ArgumentNullException.ThrowIfNull(network);

    private TrainingLoss(
        Func<Tensor, Tensor, Tensor?, Tensor> network, LabelTrainingOptions? labels, INoiseSchedule schedule, Parameterization parameterization, TrainingObjective objective)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(parameterization);
        objective.ThrowIfInvalid();
        (_network, _labels, _schedule, _parameterization, _objective) = (network, labels, schedule, parameterization, objective);
        _bound = objective.Variational is { } term ? new VariationalBound(schedule, term.Variance, Clipping.None) : null;
        History = objective.Timesteps.NewHistory(schedule);
    }

    /// <summary>The losses of the run so far, where timesteps are drawn by them: state that belongs into a checkpoint.</summary>
    public LossHistory? History { get; }

    /// <summary>Whether the network is told labels.</summary>
    internal bool UsesLabels => _labels is not null;

    internal bool IsImmiscible => _objective.Immiscible;

    internal Parameterization Parameterization => _parameterization;

    /// <summary>Joins a network that is told labels, and its objective.</summary>
    /// <param name="network">As without labels, with labels [B] (Int64) as its third argument.</param>
    /// <param name="labels">The null label and how often it is given.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="parameterization">What the network predicts.</param>
    /// <param name="objective">What it is trained for.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ArgumentException">The labels or the objective have mistakes; the message lists all.</exception>
    public static TrainingLoss WithLabels(
        nn.Module<Tensor, Tensor, Tensor, Tensor> network, LabelTrainingOptions labels, INoiseSchedule schedule, Parameterization parameterization, TrainingObjective objective)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(labels);
        labels.ThrowIfInvalid();
        return new((input, timesteps, ofImages) => network.call(input, timesteps, ofImages!), labels, schedule, parameterization, objective);
    }

    /// <summary>Draws what is random in a batch: timesteps, noise, offset, whether the network sees its own estimate, and which labels are left out, in this order.</summary>
    /// <param name="shape">[B, C, H, W].</param>
    /// <param name="generator">Where all random numbers come from; on the CPU.</param>
    /// <returns>The draw, its tensors on the CPU and for the caller to dispose.</returns>
    public TrainingDraw Draw(ReadOnlySpan<long> shape, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return Draw(_objective.Timesteps, shape, generator);
    }

    private TrainingDraw Draw(TimestepDistribution distribution, ReadOnlySpan<long> shape, Generator generator)
    {
        var timesteps = distribution.Draw(_schedule, (int)shape[0], generator, History);
        var noise = randn(shape.ToArray(), ScalarType.Float32, generator: generator);
        var offset = _objective.OffsetNoise > 0 ? randn([shape[0], shape[1]], ScalarType.Float32, generator: generator) : null;
        var estimated = _objective.SelfConditioning is { } share && UniformDraws.Of(1, generator, stratified: false)[0] < share;
        return new(timesteps, noise, offset, estimated)
        {
            Unlabelled = _labels is { NullLabel: not null, Dropout: > 0 and var dropout } ? [.. UniformDraws.Of((int)shape[0], generator, stratified: false).Select(draw => draw < dropout)] : null,
        };
    }

    /// <summary>
    /// A draw in which that of each image is a function of its seed alone: not of the other images, nor of the losses so far. No label is left out, and the network sees
    /// its own estimate if it ever does.
    /// </summary>
    /// <param name="image">The shape of an image, [C, H, W].</param>
    /// <param name="seeds">One an image.</param>
    internal TrainingDraw DrawFixed(ImageShape image, IEnumerable<ulong> seeds)
    {
        using var scope = NewDisposeScope();
        var distribution = History is null ? _objective.Timesteps : TimestepDistribution.Uniform;
        var draws = new List<TrainingDraw>();
        foreach (var seed in seeds)
        {
            using var generator = new Generator(seed, CPU);
            draws.Add(Draw(distribution, image.Batch(1), generator));
        }

        return new(TimestepDraw.Of(draws.ConvertAll(draw => draw.Timesteps)), cat(draws.ConvertAll(draw => draw.Noise)).MoveToOuterDisposeScope())
        {
            Offset = draws[0].Offset is null ? null : cat(draws.ConvertAll(draw => draw.Offset!)).MoveToOuterDisposeScope(),
            SelfConditioned = _objective.SelfConditioning > 0,
        };
    }

    /// <summary>The loss of a batch. Where there is a <see cref="History"/>, the losses of the images are added to it.</summary>
    /// <param name="images">x₀, [B, C, H, W], on the network's device.</param>
    /// <param name="draw">What was drawn for the batch.</param>
    /// <param name="labels">Int64, [B], for a network that is told labels; not read otherwise.</param>
    /// <returns>A scalar to take gradients of, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit together.</exception>
    /// <exception cref="InvalidOperationException">Network and objective do not fit together.</exception>
    public Tensor Mean(Tensor images, TrainingDraw draw, Tensor? labels = null)
    {
        var (mean, ofImages) = MeanAndImages(images, draw, labels);
        using (ofImages)
        {
            if (History is not null)
            {
                using var doubles = ofImages.to(ScalarType.Float64).cpu();
                Remember(draw, doubles.data<double>().ToArray());
            }
        }

        return mean;
    }

    /// <summary>The mean as by <see cref="Mean"/>, and the losses of the images as by <see cref="OfImages"/>, without gradients, from one pass.</summary>
    internal (Tensor Mean, Tensor OfImages) MeanAndImages(Tensor images, TrainingDraw draw, Tensor? labels)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(draw);
        using var scope = NewDisposeScope();
        if (_bound is null && History is null && Weights(draw).All(weight => weight == 1) && draw.Timesteps.Weights.All(weight => weight == 1))
        {
            var (_, _, output, target) = Forward(images, draw, labels);
            var mean = _objective.Loss.Mean(output.Prediction, target);
            using var noGradients = no_grad();
            return (mean.MoveToOuterDisposeScope(), _objective.Loss.OfImages(output.Prediction, target).MoveToOuterDisposeScope());
        }

        var losses = OfImages(images, draw, labels);
        return ((losses * Row(losses, draw.Timesteps.Weights)).mean().MoveToOuterDisposeScope(), losses.detach().MoveToOuterDisposeScope());
    }

    /// <summary>The loss of each image, weighed by its level but not by its importance.</summary>
    /// <param name="images">x₀, [B, C, H, W], on the network's device.</param>
    /// <param name="draw">What was drawn for the batch.</param>
    /// <param name="labels">Int64, [B], for a network that is told labels; not read otherwise.</param>
    /// <returns>[B], for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit together.</exception>
    /// <exception cref="InvalidOperationException">Network and objective do not fit together.</exception>
    public Tensor OfImages(Tensor images, TrainingDraw draw, Tensor? labels = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(draw);
        using var scope = NewDisposeScope();
        var (levels, noisy, output, target) = Forward(images, draw, labels);
        if (_objective.Variational is not { } term)
        {
            return Weighed().MoveToOuterDisposeScope();
        }

        var timesteps = draw.Timesteps.Timesteps ?? throw new InvalidOperationException(
            $"The variational bound has a term for each timestep; the distribution '{_objective.Timesteps.Name}' draws levels between them.");
        var prediction = term.IsWhole ? output.Prediction : output.Prediction.detach();
        using var weight = (term.Weight * _schedule.Timesteps).ToScalar();
        var bound = _bound!.Terms(images, noisy, new Prediction(_parameterization.ToImage(noisy, prediction, levels), output.Variance), timesteps) * weight;
        return (term.IsWhole ? bound : Weighed().Plus(bound)).MoveToOuterDisposeScope();

        Tensor Weighed()
        {
            var losses = _objective.Loss.OfImages(output.Prediction, target);
            return losses * Row(losses, Weights(draw));
        }
    }

    private (NoiseLevel[] Levels, Tensor Noisy, (Tensor Prediction, Tensor? Variance) Output, Tensor Target) Forward(Tensor images, TrainingDraw draw, Tensor? labels)
    {
        NoiseLevel[] levels = [.. draw.Timesteps.Levels];
        var noise = Noise(images, draw);
        var noisy = ForwardProcess.AddNoise(images, noise, levels);
        var timesteps = NetworkTimesteps.Of(levels, noisy.device);
        var input = _parameterization.ToInput(noisy, levels);
        var told = Labels(images, draw, labels);
        if (_objective.SelfConditioning is not null)
        {
            input = cat([draw.SelfConditioned ? Estimate(noisy, input, timesteps, told, levels) : zeros_like(noisy), input], 1);
        }

        var output = NetworkOutput.Split(noisy, _network(input, timesteps, told));
        return output.Variance is null || _bound is not null
            ? (levels, noisy, output, _parameterization.Target(images, noise, levels))
            : throw new InvalidOperationException("The network returns twice the channels, a prediction and a variance; the objective has no variational term to train the variance with.");
    }

    /// <summary>The labels that the network is told, on its device; null for a network that is told none.</summary>
    private Tensor? Labels(Tensor images, TrainingDraw draw, Tensor? labels)
    {
        if (_labels is null)
        {
            return null;
        }

        if (labels is null || labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != images.shape[0])
        {
            throw new ArgumentException(
                $"The network is told a label for each image: Int64 of shape [{images.shape[0]}] is needed; {(labels is null ? "there are none" : $"they are {labels.dtype} of shape [{string.Join(", ", labels.shape)}]")}.",
                nameof(labels));
        }

        var known = labels.to(images.device);
        if (draw.Unlabelled is not { } dropped || _labels.NullLabel is not { } none)
        {
            return known;
        }

        using var label = none.ToScalar();
        return where(tensor(dropped.ToArray()).to(images.device), full_like(known, label), known);
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

        return _objective.Immiscible ? noise[tensor(NoiseAssignment.Nearest(images, noise).Select(index => (long)index).ToArray(), ScalarType.Int64).to(images.device)] : noise;
    }

    private Tensor Estimate(Tensor noisy, Tensor input, Tensor timesteps, Tensor? told, NoiseLevel[] levels)
    {
        using var noGradients = no_grad();
        var (prediction, _) = NetworkOutput.Split(noisy, _network(cat([zeros_like(noisy), input], 1), timesteps, told));
        return _parameterization.ToImage(noisy, prediction, levels);
    }

    private IReadOnlyList<double> Weights(TrainingDraw draw) => [.. draw.Timesteps.Levels.Select(level => _objective.Weighting.At(level, _parameterization))];

    private static Tensor Row(Tensor losses, IReadOnlyList<double> numbers) => PerImage.Values(losses, [.. numbers]);

    /// <summary>Adds the losses of a batch to the <see cref="History"/>, where there is one and they are numbers.</summary>
    internal void Remember(TrainingDraw draw, IReadOnlyList<double> losses)
    {
        if (History is not null && draw.Timesteps.Timesteps is { } timesteps && losses.All(double.IsFinite))
        {
            History.Add(timesteps, losses);
        }
    }

    /// <summary>The objective in names and numbers.</summary>
    internal IReadOnlyDictionary<string, string> Describe() => new Dictionary<string, string>
    {
        ["loss"] = _objective.Loss.Name,
        ["weighting"] = _objective.Weighting.Name,
        ["timesteps"] = _objective.Timesteps.Name,
        ["offsetNoise"] = Number(_objective.OffsetNoise),
        ["immiscible"] = _objective.Immiscible ? "true" : "false",
        ["selfConditioning"] = _objective.SelfConditioning is { } share ? Number(share) : "none",
        ["variational"] = _objective.Variational is { } term ? $"{term.Variance} {Number(term.Weight)}{(term.IsWhole ? " whole" : "")}" : "none",
        ["labelDropout"] = _labels is { } labels ? Number(labels.Dropout) : "no labels",
    };

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
