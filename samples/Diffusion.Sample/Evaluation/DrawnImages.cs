using System.Diagnostics;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Images that a network draws while they are measured.</summary>
/// <param name="model">Owned by the caller.</param>
/// <param name="batch">How many are drawn at once.</param>
/// <param name="kept">Where they are written, too.</param>
internal sealed class DrawnImages(TrainedModel model, int batch, KeptImages? kept) : EvaluatedImages
{
    private readonly string?[] _classes = [.. Enumerable.Range(0, model.Options.Sampling.Count).Select(model.ClassOf)];
    private TimeSpan _taken;

    public override string Name { get; } = $"drawn with {SharedPaths.Name(model.File)}";

    public override int Count => model.Options.Sampling.Count;

    public override ImageShape Shape => model.Shape;

    public override IReadOnlyList<string>? Classes => Array.Exists(_classes, name => name is null) ? null : Array.ConvertAll(_classes, name => name!);

    public override IReadOnlyDictionary<string, object?> Settings
    {
        get
        {
            var (sampling, sampler) = (model.Options.Sampling, model.CreateSampler());
            return new Dictionary<string, object?>
            {
                ["weights"] = Path.GetFileName(model.File),
                ["weightsHash"] = FileHash.Of(model.File),
                ["sampler"] = model.SamplerName,
                ["steps"] = sampler.Levels(model.Plain.Schedule).Count - 1,
                ["spacing"] = sampler.Spacing.ToString(),
                ["clip"] = sampling.Clip,
                ["schedule"] = model.Options.Diffusion.Schedule,
                ["prediction"] = model.Options.Diffusion.Prediction,
                ["guidance"] = sampling.Guidance,
                ["guidanceSigmaMin"] = sampling.GuidanceSigmaMin,
                ["guidanceSigmaMax"] = sampling.GuidanceSigmaMax,
                ["seed"] = sampling.Seed,
                ["batch"] = batch,
                ["networkCallsPerImage"] = (double)model.Evaluations / Count,
                ["drawingSeconds"] = Math.Round(_taken.TotalSeconds, 1),
            };
        }
    }

    public override IEnumerable<Tensor> Batches(IProgress<double> progress, CancellationToken cancellation)
    {
        for (var first = 0; first < Count; first += batch)
        {
            var start = Stopwatch.GetTimestamp();
            var drawn = Batch(first, Math.Min(batch, Count - first), progress, cancellation);
            _taken += Stopwatch.GetElapsedTime(start);
            kept?.Write(first, drawn, _classes);
            yield return drawn;
        }
    }

    public override void Dispose()
    {
    }

    private Tensor Batch(int first, int count, IProgress<double> progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var noise = NoiseSource.Seeded(model.Options.Sampling.Seed, first);
        var observer = new Observer<(int Step, int Steps)>(step => progress.Report(first + ((double)count * step.Step / step.Steps)));
        var drawn = model.CreateSampler().SampleFrom(model.InTurn(first, count), Shape.Batch(count), noise, observer, null, cancellation).cpu();
        return drawn.isfinite().all().item<bool>()
            ? drawn.MoveToOuterDisposeScope()
            : throw new InvalidDataException($"{model.File}: among images {first} to {first + count - 1} the network draws values that are no finite numbers; there is nothing to measure.");
    }
}
