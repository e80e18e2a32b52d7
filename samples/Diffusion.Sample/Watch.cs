using Diffusion.Configuration;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using Diffusion.Observers;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>The observers of a run, as its configuration asks for them.</summary>
internal sealed class Watch : IDisposable
{
    private const int ReferenceImages = 10_000; // of those that are trained on

    private readonly List<IDisposable> _owned = [];

    public static Watch Over(Trainer trainer, RunOptions options, RunFolder folder)
    {
        var watch = new Watch();
        // Logs first: they are opened before anything is measured, and have the step also where a later observer fails. The report last.
        trainer.Observers.Add(watch.Own(new CsvLog(folder.Losses)));
        trainer.Observers.Add(watch.Own(new MeasurementLog(folder.Measurements)));
        trainer.Observers.Add(new TrainingMetrics());
        if (options.Watch.TensorBoard)
        {
            trainer.Observers.Add(watch.Own(new TensorBoardLog(folder.Events, options.Watch.TensorBoardEvery)));
        }

        if (options.Watch.ValidateEvery is { } every)
        {
            if (options.Data.OpenValidation(ImageCodecs.Of(options.Data)) is { } heldOut)
            {
                SkippedImages.Show(heldOut);
                trainer.Observers.Add(new ValidationLoss(watch.Own(heldOut), every, options.Watch.ValidationImages));
            }
            else
            {
                AnsiConsole.MarkupLineInterpolated($"[yellow]watch.validateEvery is {every}, but there are no images that are not trained on (docs/data.md): no validation.[/]");
            }
        }

        if (options.Watch.PreviewEvery is { } previews)
        {
            trainer.Observers.Add(new PreviewImages(folder.Previews, Sampler(options, options.Watch.PreviewSteps), Previews(options, previews)));
        }

        if (options.Watch.EvaluateEvery is { } distances)
        {
            trainer.Observers.Add(watch.Distances(options, distances, folder));
        }

        if (options.Watch.Report)
        {
            trainer.Observers.Add(new HtmlReport(folder.Report, new HtmlReportOptions
            {
                StepsFile = folder.Losses, MeasurementsFile = folder.Measurements, PicturesFolder = folder.Previews, Configuration = RunConfiguration.ToJson(options),
            }));
        }

        return watch;
    }

    public void Dispose() => _owned.ForEach(each => each.Dispose());

    private static Sampler Sampler(RunOptions options, int? steps) => (options with { Sampling = options.Sampling with { Steps = steps ?? options.Sampling.Steps } }).CreateSampler();

    private static PreviewOptions Previews(RunOptions options, int every) => new()
    {
        Every = every,
        Count = options.Watch.PreviewImages,
        Seed = options.Sampling.Seed,
        Guidance = options.Sampling.Guidance,
        GuidanceSigmaMin = options.Sampling.GuidanceSigmaMin,
        GuidanceSigmaMax = options.Sampling.CreateGuidance().SigmaMax,
        Clip = options.Sampling.Clip,
    };

    /// <summary>Distances to the images that are trained on, so that the best weights are not chosen by images that are held back.</summary>
    private FrechetDistanceObserver Distances(RunOptions options, int every, RunFolder folder)
    {
        var features = Own(options.Data.Kind == DataKind.Textures ? ImageClassifier.Textures() : ImageClassifier.Digits());
        var reference = Own(options.Data.Open(ImageCodecs.Of(options.Data)));
        var distances = new FrechetDistanceObserverOptions
        {
            Every = every,
            Images = options.Watch.EvaluationImages,
            ReferenceImages = ReferenceImages,
            Seed = options.Sampling.Seed,
            Guidance = options.Sampling.Guidance,
            GuidanceSigmaMin = options.Sampling.GuidanceSigmaMin,
            GuidanceSigmaMax = options.Sampling.GuidanceSigmaMax,
            Clip = options.Sampling.Clip,
        };
        AnsiConsole.MarkupLineInterpolated(
            $"Every {every} steps: the Fréchet distance of {distances.Images} images to {Math.Min(ReferenceImages, reference.Count)} that are trained on, in the features '{features.Name}'. The best weights go to {folder.Best}.");
        return Own(new FrechetDistanceObserver(folder.Best, features, reference, Sampler(options, options.Watch.EvaluationSteps), distances));
    }

    private T Own<T>(T each)
        where T : IDisposable
    {
        _owned.Add(each);
        return each;
    }
}
