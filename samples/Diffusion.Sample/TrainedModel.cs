using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>A trained network, ready to draw, with its run's options as the command line changes them.</summary>
internal sealed class TrainedModel : IDisposable
{
    private readonly IDisposable _owned;
    private readonly ImageLimit _limit;
    private readonly Sampler _sampler;
    private readonly EvaluationCounter _network;
    private readonly long? _label;

    /// <param name="file">Where the weights are.</param>
    /// <param name="options">The options of the run, or what stands for them.</param>
    /// <param name="owned">Disposed with this.</param>
    /// <param name="denoiser">The network.</param>
    /// <param name="label">The class that is asked for.</param>
    /// <param name="sampler">The sampler.</param>
    /// <param name="limit">What limits x̂₀ beside the options and the sampler.</param>
    public TrainedModel(string file, RunOptions options, IDisposable owned, IDenoiser denoiser, long? label, Sampler sampler, ImageLimit limit)
    {
        (File, Options, _owned, _sampler, _limit, _label) = (file, options, owned, sampler, limit, label);
        _network = new EvaluationCounter(denoiser);
        Labels = new LabelledDrawing(_network, options, label);
        Plain = Labels.Plain;
        Denoiser = Limited(Plain);
    }

    public string File { get; }

    public RunOptions Options { get; }

    /// <summary>The shape of the images.</summary>
    public required ImageShape Shape { get; init; }

    /// <summary>What the sampler is called.</summary>
    public required string SamplerName { get; init; }

    /// <summary>How often the network has been evaluated, of an image: a guided step counts as two.</summary>
    public long Evaluations => _network.Images;

    /// <summary>The variance of the reverse steps.</summary>
    public ReverseVariance Variance => Options.Objective.LearnedVariance is null ? ReverseVariance.FixedSmall : ReverseVariance.LearnedRange;

    /// <summary>The network with labels bound to it, image by image.</summary>
    public LabelledDrawing Labels { get; }

    /// <summary>The network as it is: what inversion needs.</summary>
    public IDenoiser Plain { get; }

    /// <summary>The network with the configuration's clipping.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>Loads what is asked for, and says what is used.</summary>
    public static TrainedModel Load(DrawingArguments arguments)
    {
        DiffusionRuntime.EnsureLoaded();
        return ForeignNetwork.Open(arguments.Checkpoint, arguments.Source) is { } foreign ? ForeignModel.Load(foreign, arguments) : LoadRun(arguments);
    }

    public Sampler CreateSampler() => _sampler;

    /// <summary>The limited denoiser of a batch: of the one class, or of all classes in turn.</summary>
    public IDenoiser InTurn(int first, int count) => Limit(Labels.InTurn(first, count));

    /// <summary>The name of the class that an image is to show; <see langword="null"/> where none is asked for, or its name is not known.</summary>
    public string? ClassOf(int image) =>
        Options.NullLabel is { } classes && Options.Data.ClassNames is { } names && (int)(_label ?? image % classes) is var label && label < names.Count ? names[label] : null;

    /// <summary>The network, neither guided nor limited, of images with these labels where it takes them.</summary>
    /// <param name="labels">[B], or <see langword="null"/> where the images have none.</param>
    /// <param name="classNames">What the labels mean.</param>
    public IDenoiser Of(TorchSharp.torch.Tensor? labels, IReadOnlyList<string> classNames) =>
        labels is not null && Options.NullLabel is not null && Options.Data.ClassNames is { } names && names.SequenceEqual(classNames, StringComparer.Ordinal) ? _network.With(labels.data<long>().ToArray()) : _network;

    /// <summary>A denoiser with the limits of the configuration.</summary>
    public IDenoiser Limited(IDenoiser denoiser) => Limit(Options.Sampling.Limit(denoiser));

    public void Dispose() => _owned.Dispose();

    /// <summary>Says which network, weights, schedule and sampler are used, and where.</summary>
    public static void Say(string kind, string file, string schedule, string prediction, string sampler, IDenoiser denoiser, int steps) => AnsiConsole.MarkupLineInterpolated(
        $"{kind}, weights {file}: {schedule}, predicts {prediction}; sampler {sampler}, {steps} steps, on {denoiser.Device.type}");

    private static TrainedModel LoadRun(DrawingArguments arguments)
    {
        var trained = TrainedWeights.Find(arguments.Checkpoint);
        CheckSource(arguments.Source, trained);
        if (arguments.Out is not "")
        {
            OutputFolder.ThrowIfAmongImages(arguments.Out, trained.Options.Data);
        }

        var label = LabelledDrawing.Find(trained.File, trained.Options, arguments);
        var options = trained.Options with { Sampling = arguments.Over(trained.Options.Sampling) };
        Mistakes.ThrowIfAny((options with { Watch = new() }).Validate(), Mistakes.OfDrawing); // what a training run watches does not matter here
        trained.ThrowIfSmallerThan(options);
        var network = options.CreateNetwork();
        try
        {
            trained.Fill(network);
            network.to(cuda.is_available() ? CUDA : CPU);
            var (denoiser, sampler) = (options.CreateDenoiser(network), options.CreateSampler());
            Say("Run", trained.File, $"schedule {options.Diffusion.Schedule}, {options.Diffusion.Timesteps} timesteps", options.Diffusion.Prediction, options.Sampling.Sampler, denoiser, sampler.Levels(denoiser.Schedule).Count - 1);
            if (label is { } one)
            {
                AnsiConsole.MarkupLineInterpolated($"{ClassList.Describe(options.Data, one)}");
            }

            return new TrainedModel(trained.File, options, network, denoiser, label, sampler, ImageLimit.None) { Shape = options.Data.Shape, SamplerName = options.Sampling.Sampler };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static void CheckSource(SourceArguments asked, TrainedWeights trained)
    {
        _ = asked.CreateSchedule(trained.Options.Diffusion.Timesteps);
        _ = asked.CreatePrediction();
        var (schedule, prediction) = (trained.Options.Diffusion.Schedule, trained.Options.Diffusion.Prediction);
        if (asked.Schedule is { } other && !other.Equals(schedule, StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"--schedule {other} contradicts the run's configuration: the network was trained with the schedule '{schedule}' and works with no other. Leave --schedule out; it is for the command train.");
        }

        if (asked.Prediction is { } wrong && !wrong.Equals(prediction, StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"--prediction {wrong} contradicts the run's configuration: the network was trained to predict '{prediction}'. Leave --prediction out.");
        }

        asked.ThrowIfOfOtherTools($"that is for networks of other tools; '{trained.File}' is of a run, whose configuration says what its network is.");
    }

    private IDenoiser Limit(IDenoiser denoiser) => _limit == ImageLimit.None ? denoiser : denoiser.Limited(_limit);
}
