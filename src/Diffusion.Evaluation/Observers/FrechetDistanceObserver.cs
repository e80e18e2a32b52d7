using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// Measures from time to time how good the images are that the averaged weights draw, reported to the other observers as <c>frechet_distance</c>, with the bias of so few images as <c>frechet_distance_bias</c>, and keeps the best:
/// a folder with the weights of the step with the smallest distance, as <see cref="Trainer.Export"/> writes them, and <c>best.json</c>, which says which step and what its distance is. The folder is replaced as a whole. A resumed
/// run goes on from it, and measures the same values. A class-conditional network draws all classes in turn, from the same noise each time. Training is not disturbed: a run ends with the same bits as one without.
/// </summary>
/// <remarks>
/// <para>
/// A distance takes one evaluation of the network for each image and step of the sampler, two with guidance and two with samplers that evaluate twice a step, such as Heun's, without gradients, and one of the features for each image: with
/// 2000 images, 10 steps of Heun and guidance about 80,000, where a step of training takes as many as its batch has images, with their gradients. Training waits for it. A run that is cancelled ends within a step of the sampler,
/// and the distance that was not measured is the first thing that is measured where the run goes on.
/// </para>
/// <para>GANs Trained by a Two Time-Scale Update Rule, arXiv:1706.08500, Eq. 6. The best of many distances is smaller than a new measurement of the same weights: measure it again, with another seed and against other images, before you publish it.</para>
/// </remarks>
public sealed class FrechetDistanceObserver : TrainingObserver, IDisposable
{
    /// <summary>The name of the measurement.</summary>
    public const string Name = "frechet_distance";

    /// <summary>The name of the measurement of its bias, <see cref="DistanceEstimate.Bias"/>.</summary>
    public const string BiasName = "frechet_distance_bias";

    private readonly BestFolder _folder;
    private readonly IFeatureExtractor _features;
    private readonly IImageSource? _source;
    private readonly Sampler _sampler;
    private readonly FrechetDistanceObserverOptions _options;
    private FeatureStatistics? _reference;
    private DrawnConditions? _conditions;
    private DistanceSettings? _settings;
    private BestDistance? _best;
    private ImageShape _shape;
    private int _steps;

    /// <summary>Makes an observer that compares with statistics.</summary>
    /// <param name="folder">The folder of the best weights, made if need be: one of its own, which is replaced as a whole.</param>
    /// <param name="features">What distances are measured in. The caller keeps owning it.</param>
    /// <param name="reference">The statistics of the images that those of the network are to be like, in the same features. The caller keeps owning them.</param>
    /// <param name="sampler">Draws the images. Its steps are what a distance costs: one evaluation of the network for each and for each image, two with guidance.</param>
    /// <param name="options">How many images, when, and more; the defaults if <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The options have mistakes, or the reference has another number of features.</exception>
    public FrechetDistanceObserver(string folder, IFeatureExtractor features, FeatureStatistics reference, Sampler sampler, FrechetDistanceObserverOptions? options)
        : this(folder, features, sampler, options)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Features != features.Features)
        {
            throw new ArgumentException($"The reference '{reference.Source}' has {reference.Features} features, and '{features.Name}' has {features.Features}: statistics of the same features are needed.", nameof(reference));
        }

        _reference = reference;
    }

    /// <summary>Makes an observer that compares with images, whose features are computed before the first step.</summary>
    /// <param name="folder">The folder of the best weights, made if need be: one of its own, which is replaced as a whole.</param>
    /// <param name="features">What distances are measured in. The caller keeps owning it.</param>
    /// <param name="reference">The images that those of the network are to be like, such as those that are trained on; in [−1, 1]. The caller keeps owning them.</param>
    /// <param name="sampler">Draws the images. Its steps are what a distance costs: one evaluation of the network for each and for each image, two with guidance.</param>
    /// <param name="options">How many images, when, and more; the defaults if <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The options have mistakes.</exception>
    public FrechetDistanceObserver(string folder, IFeatureExtractor features, IImageSource reference, Sampler sampler, FrechetDistanceObserverOptions? options)
        : this(folder, features, sampler, options)
    {
        ArgumentNullException.ThrowIfNull(reference);
        _source = reference;
    }

    private FrechetDistanceObserver(string folder, IFeatureExtractor features, Sampler sampler, FrechetDistanceObserverOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(sampler);
        (_folder, _features, _sampler, _options) = (new BestFolder(folder), features, sampler, options ?? new FrechetDistanceObserverOptions());
        _options.ThrowIfInvalid(nameof(options));
    }

    /// <summary>The smallest distance of the run so far, also of its parts before a resume; <see langword="null"/> where there is none.</summary>
    public DistanceEstimate? Best => _best?.ToEstimate();

    /// <summary>The step after which it was measured; <see langword="null"/> where there is none.</summary>
    public int? BestStep => _best?.Step;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The network takes a condition and there is none, or there is guidance and no condition or null condition; the images are no images in [−1, 1], or of another shape than the reference's; or the folder has a distance that was measured otherwise.</exception>
    /// <exception cref="ArgumentException">The sampler does not fit the schedule, or the features do not take images of this shape.</exception>
    /// <exception cref="IOException">The folder cannot be written, or has other files; or an image of the reference cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file in the folder is damaged.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled while the reference, or a distance that an earlier part of the run had not measured, was measured.</exception>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        (_steps, _shape) = (trainer.Options.StepsFor(images.Count), images.Shape);
        _conditions = new DrawnConditions(trainer, images, _options.Condition, _options.CreateGuidance(), _options.Clip, "Distances");
        var levels = _sampler.Levels(trainer.Denoiser.Schedule); // throws now if they do not fit, and not in an hour
        _folder.Prepare();
        CheckImages(images);
        _reference ??= ReferenceFeatures.Of(_features, _source!, _options.ReferenceImages, _options.BatchSize, trainer.Cancellation);
        _settings = new DistanceSettings(
            _features.Name,
            ReferenceName(),
            _reference.Images,
            _options.Images,
            _options.BatchSize,
            _sampler.GetType().Name,
            levels.Count - 1,
            _options.Guidance,
            _options.GuidanceSigmaMin,
            _options.GuidanceSigmaMax,
            _options.Condition?.ToString(),
            _options.Clip,
            _options.Seed,
            _sampler.Spacing.Name,
            SamplerTrace.Of(_sampler, trainer.Denoiser, _shape.Batch(Math.Min(_options.BatchSize, _options.Images))));
        _best = trainer.StepsDone == 0 ? null : _folder.Read(); // a run that begins has no best: what another one left is replaced
        if (_best is not null)
        {
            _folder.ThrowUnlessComparable(_best, _settings);
        }

        if (trainer.StepsDone > 0 && _folder.Unmeasured() == trainer.StepsDone)
        {
            Measure(trainer, trainer.StepsDone);
        }

        _folder.SetUnmeasured(null);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The best weights cannot be written; those before are whole.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled while the distance was measured.</exception>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(step);
        if (step.Number % _options.Every == 0 || step.Number == _steps)
        {
            Measure(trainer, step.Number);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_source is not null)
        {
            _reference?.Dispose();
        }
    }

    private void Measure(Trainer trainer, int step)
    {
        DistanceEstimate? measured;
        try
        {
            measured = Draw(trainer.Ema, trainer.Cancellation);
        }
        catch (OperationCanceledException)
        {
            _folder.SetUnmeasured(step); // what goes on from this step measures it first
            throw;
        }

        if (measured is not { } distance)
        {
            trainer.Report(Name, double.NaN); // a network that diverged does not end the run here
            return;
        }

        if (!(_best?.FrechetDistance <= distance.Value))
        {
            _best = new BestDistance(step, distance.Value, distance.Bias, distance.Remark, _settings!);
            _folder.Write(trainer, _best);
        }

        trainer.Report(Name, distance.Value);
        if (distance.Bias is { } bias)
        {
            trainer.Report(BiasName, bias);
        }
    }

    /// <summary>What tells the reference from others, without the folder that it lies in.</summary>
    private string ReferenceName() => _source is null
        ? Path.GetFileName(_reference!.Source)
        : string.Join(", ", [$"{_source.Count} images", .. _source.Fingerprint.OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => $"{part.Key} {part.Value}")]);

    /// <summary>Throws where the features cannot be those of the images that are drawn.</summary>
    private void CheckImages(IImageSource images)
    {
        foreach (var source in _source is null ? [images] : (IImageSource[])[images, _source])
        {
            if (EightBitImages.RangeProblem(source) is { } problem)
            {
                throw new InvalidOperationException(problem);
            }
        }

        if (_source is not null && _source.Shape != images.Shape)
        {
            throw new InvalidOperationException($"The images of the reference '{_source.Name}' are {_source.Shape}, those that are trained on {images.Shape}: the same shape is needed.");
        }

        if (_source?.Count < 2)
        {
            throw new InvalidOperationException($"The reference '{_source.Name}' has {_source.Count} image; a covariance needs at least 2.");
        }

        using var bytes = SourceBatches.Read(images, [0]);
        using var extracted = _features.Extract(bytes); // throws now if the network does not take them
        if (!extracted.shape.AsSpan().SequenceEqual([1L, _features.Features]))
        {
            throw new InvalidOperationException($"'{_features.Name}' gave features of shape [{string.Join(", ", extracted.shape)}] for one image; [1, {_features.Features}] is needed.");
        }
    }

    /// <summary>Draws the images and compares them; <see langword="null"/> where one of them is not finite.</summary>
    private DistanceEstimate? Draw(IDenoiser network, CancellationToken cancellation)
    {
        using var noGradients = no_grad();
        var sums = new FeatureSums();
        for (var (first, shard) = (0, 0); first < _options.Images; first += _options.BatchSize, shard++)
        {
            var count = Math.Min(_options.BatchSize, _options.Images - first);
            using var scope = NewDisposeScope();
            using var noise = NoiseSource.Seeded(_options.Seed, first);
            var images = _sampler.SampleFrom(_conditions!.Bind(network, first, count), _shape.Batch(count), noise, cancellationToken: cancellation);
            if (!images.isfinite().all().item<bool>())
            {
                return null;
            }

            sums.Add(shard, _features.Extract(EightBitImages.From(images.cpu())));
        }

        using var statistics = sums.Statistics("drawn images");
        return FrechetDistance.Between(statistics, _reference!);
    }
}
