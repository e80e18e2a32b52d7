using System.Globalization;
using Diffusion.Evaluation;

namespace Diffusion.Sample;

/// <summary>The images that are measured, what they are compared with and in which features: opened and checked before any work. Owns them.</summary>
internal sealed class EvaluationRun : IDisposable
{
    private readonly Stack<IDisposable> _owned = new();
    private readonly EvaluateArguments _arguments;
    private readonly TrainedModel? _model;
    private readonly EvaluatedImages _images;
    private readonly ReferenceData _reference;
    private readonly IFeatureExtractor? _features;
    private readonly IReadOnlyList<long>? _labels;
    private string? _source;

    private EvaluationRun(EvaluateArguments arguments)
    {
        _arguments = arguments;
        try
        {
            _model = arguments.Drawing is null ? null : Own(TrainedModel.Load(arguments.Drawing));
            if (_model is not null && arguments.Keep is { } folder)
            {
                OutputFolder.ThrowIfAmongImages(folder, _model.Options.Data, "--keep");
            }

            var named = ReferenceData.Named(arguments, _model?.Options.Data);
            var features = FeatureChoice.For(arguments, named?.Kind, _model?.Shape);
            _images = Own(OpenImages(features));
            _features = features is null ? null : Own(FeatureChoice.Open(features, arguments.FeaturesOptions, _images.Shape));
            _reference = Own(ReferenceData.Open(arguments, _model?.Options.Data, _images.Shape));
            if (_features is null && _reference.StatisticsFile is not null)
            {
                throw FeatureChoice.Missing();
            }

            _labels = Labels();
            CheckUse();
            Check(arguments.Likelihood);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private string? Cache => _arguments.Cache ?? StatisticsCache.Default;

    /// <summary>Whether the mean and covariance of the reference are needed.</summary>
    private bool NeedsStatistics => _features is not null && (_arguments.Figures is not { } figures || figures.Contains("frechet", StringComparer.OrdinalIgnoreCase));

    public static EvaluationRun Open(EvaluateArguments arguments)
    {
        DiffusionRuntime.EnsureLoaded();
        return new EvaluationRun(arguments);
    }

    public EvaluationReport Measure(CancellationToken cancellation) => EvaluationBar.Show(bar =>
    {
        foreach (var images in (IImageSource?[])[_reference.Images, _reference.Training])
        {
            if (images is not null)
            {
                bar.Expect(images.Name, $"Measuring {images.Name}", images.Count);
            }
        }

        bar.Expect(_images.Name, _model is null ? $"Measuring {_images.Name}" : $"Drawing {_images.Count} images", _images.Count);
        using var statistics = Statistics(cancellation);
        using var evaluator = new Evaluator(_features, new EvaluationOptions { Figures = _arguments.Figures }) { Reference = _reference.Images, Training = _reference.Training, ReferenceStatistics = statistics };
        Prepare(evaluator, bar, cancellation);
        if (statistics is null && evaluator.ReferenceStatistics is { } measured)
        {
            StatisticsCache.Write(Cache, measured, Source(cancellation));
        }

        var batches = _images.Batches(new Observer<double>(done => bar.Report(_images.Name, done)), cancellation);
        return Complete(evaluator.Evaluate(batches, _images.Name, _labels, bar, cancellation));
    });

    /// <summary>The likelihood of images of the reference, and why figures of it are missing.</summary>
    public (IReadOnlyList<EvaluationFigure> Figures, IReadOnlyList<string> Missing) Likelihood(int count, CancellationToken cancellation) => EvaluationBar.Show(bar =>
    {
        var text = $"Likelihood of {count} images";
        bar.Expect(text, text, 2 * count);
        return LikelihoodFigures.Of(_model!, _reference.Images!, count, new Observer<double>(done => bar.Report(text, done)), cancellation);
    });

    public void Dispose()
    {
        while (_owned.TryPop(out var each))
        {
            each.Dispose();
        }
    }

    private void Prepare(Evaluator evaluator, EvaluationBar bar, CancellationToken cancellation)
    {
        try
        {
            evaluator.Prepare(_images.Count, _labels is not null, bar, cancellation);
        }
        catch (InvalidOperationException e)
        {
            throw new UsageException($"{e.Message} --figures says what is measured.");
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message); // statistics of other features, say
        }
    }

    private EvaluatedImages OpenImages(string? features)
    {
        if (_model is null)
        {
            return GivenImages.Open(_arguments.Images!, FeatureChoice.Shape(features), ImageCodecs.Of(ImageCodecs.Over(new(), _arguments.Codec)));
        }

        var sampling = _model.Options.Sampling;
        return new DrawnImages(_model, Math.Min(_arguments.Batch ?? _model.Options.Training.BatchSize, sampling.Count), _arguments.Keep is { } folder ? new KeptImages(folder) : null);
    }

    /// <summary>The classes that the images are to show, as labels of the classifier; <see langword="null"/> where it does not know them.</summary>
    private long[]? Labels()
    {
        if (_images.Classes is not { } asked || _features is not IImageClassifier classifier)
        {
            return null;
        }

        var labels = classifier.ClassNames.Index().ToDictionary(each => each.Item, each => (long)each.Index);
        return asked.All(labels.ContainsKey) ? [.. asked.Select(name => labels[name])] : null;
    }

    /// <summary>What is known of the reference: from the file that is given, or from the cache.</summary>
    private FeatureStatistics? Statistics(CancellationToken cancellation) =>
        _reference.StatisticsFile is { } file ? StatisticsCache.ReadGiven(file, _features!.Name)
        : !NeedsStatistics ? null
        : StatisticsCache.Read(Cache, Source(cancellation), _reference.Images!.Count);

    private string Source(CancellationToken cancellation) => _source ??= StatisticsCache.Source(_features!.Name, _reference.Images!, cancellation);

    /// <summary>Refuses options that nothing would use with these images.</summary>
    private void CheckUse()
    {
        var cached = ("--cache", _arguments.Cache is not null);
        if (_reference.StatisticsFile is not null)
        {
            UsageException.IfUnused("the statistics of the reference are those of --reference.", cached);
        }
        else if (!NeedsStatistics)
        {
            UsageException.IfUnused(_features is null ? "without --features no statistics of the reference are needed." : "--figures asks for none that needs statistics of the reference, as frechet does.", cached);
        }

        if (!_reference.IsDecoded && !Directory.Exists(_arguments.Images))
        {
            UsageException.IfUnused("no image file is decoded.", (ImageCodecs.Name.Name, _arguments.Codec is not null));
        }
    }

    private void Check(int? likelihood)
    {
        if (likelihood is null)
        {
            return;
        }

        var images = _reference.Images ?? throw new UsageException("--likelihood is that of images of the reference, and --reference names statistics.");
        if (likelihood > images.Count)
        {
            throw new UsageException($"--likelihood must be at most {images.Count}, the images of {images.Name}; it is {likelihood}.");
        }
    }

    private EvaluationReport Complete(EvaluationReport report)
    {
        var settings = new Dictionary<string, object?>(_images.Settings);
        foreach (var (name, value) in report.Settings)
        {
            settings[name] = value;
        }

        settings["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return report with
        {
            Settings = settings,
            Remarks = [.. report.Remarks, .. _reference.WasTrainedOn ? ["the reference is what the network was trained on: copies of it have the best figures; give other images by --reference"] : Array.Empty<string>()],
        };
    }

    private T Own<T>(T each)
        where T : IDisposable
    {
        _owned.Push(each);
        return each;
    }
}
