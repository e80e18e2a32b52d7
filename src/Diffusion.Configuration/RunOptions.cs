using System.Text.Json.Serialization;
using Diffusion.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Diffusion.Configuration;

/// <summary>A whole run as data: what a configuration file holds.</summary>
public sealed record RunOptions : IValidatedOptions
{
    private const int EvaluatedChannels = 1;
    private const int EvaluatedSize = 28;

    /// <summary>The images.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>The network's block list; the shape of its images follows from <see cref="Data"/>.</summary>
    public UNetOptions Model { get; init; } = new();

    /// <summary>The noise schedule and what the network predicts.</summary>
    public DiffusionOptions Diffusion { get; init; } = new();

    /// <summary>What the network is trained for.</summary>
    public ObjectiveOptions Objective { get; init; } = new();

    /// <summary>Steps, batch size, learning rate and more.</summary>
    public TrainerOptions Training { get; init; } = new();

    /// <summary>How images are made in the end.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>What is watched while the run trains.</summary>
    public WatchOptions Watch { get; init; } = new();

    /// <summary>The block list for the images of this run.</summary>
    /// <returns><see cref="Model"/> with the shape that <see cref="Data"/> gives and the channels that <see cref="Objective"/> adds.</returns>
    public UNetOptions ModelForData()
    {
        var channels = Data.Shape.Channels;
        return Model with
        {
            Image = Data.Shape,
            Dialect = Model.Dialect with
            {
                ExtraChannels = Objective.SelfConditioning is null ? Model.Dialect.ExtraChannels : channels,
                OutChannels = Objective.LearnedVariance is null ? Model.Dialect.OutChannels : 2 * channels,
            },
        };
    }

    /// <summary>The label that stands for "no label", the last of the network's table; <see langword="null"/> for a network without labels.</summary>
    [JsonIgnore]
    public long? NullLabel => Model.Dialect.Labels?.Classes - 1;

    private Condition? NullCondition => NullLabel is { } label ? Condition.OfLabels(label) : null;

    /// <summary>The run with the names of the classes of its images, to be stored with its weights: <see cref="DataOptions.ClassNames"/>.</summary>
    /// <param name="images">The images to train on.</param>
    /// <returns>These options, with the names that the images have; as they are where the images have none.</returns>
    /// <exception cref="OptionsValidationException">The options have other names already; the message lists both.</exception>
    public RunOptions ForImages(IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return ClassLabels.Difference(Data.ClassNames, images) is { } error
            ? throw new OptionsValidationException("The configuration", typeof(RunOptions), [error])
            : images.ClassNames.Count == 0 ? this : this with { Data = Data with { ClassNames = images.ClassNames } };
    }

    /// <summary>The label of a class: <c>denoiser.With(run.LabelOf("dog"))</c>.</summary>
    /// <param name="name">The name of a class, as <see cref="DataOptions.ClassNames"/> writes it; or a label as a number, where no class has that name.</param>
    /// <returns>The label, in [0, <see cref="NullLabel"/>).</returns>
    /// <exception cref="ArgumentException">There is no such class, or the network has no labels; the message says which there are.</exception>
    public long LabelOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return ClassLabels.Find(name, Data.ClassNames ?? [], NullLabel ?? throw new ArgumentException($"label '{name}' needs a class-conditional network; this one has no labels."));
    }

    /// <summary>Makes the network, with initial weights from the training seed.</summary>
    /// <returns>The network, on the CPU.</returns>
    public UNet CreateNetwork() => UNetBuilder.From(ModelForData()).Build(Training.Seed);

    /// <summary>The sampler, with the variance that the network learns where it learns one.</summary>
    /// <returns>The sampler of <see cref="Sampling"/>.</returns>
    public Sampler CreateSampler() => Sampling.CreateSampler(Objective.LearnedVariance is null ? ReverseVariance.FixedSmall : ReverseVariance.LearnedRange);

    /// <summary>The network as a denoiser. Class-conditional: <c>CreateDenoiser(network).With(3)</c>.</summary>
    /// <param name="network">The network, as <see cref="CreateNetwork"/> makes it; the caller keeps owning it.</param>
    /// <returns>The denoiser, with the null label and the self-conditioning that it is trained with.</returns>
    public IDenoiser CreateDenoiser(UNet network) =>
        new NetworkDenoiser(network, Diffusion.CreateSchedule(), Diffusion.CreateParameterization(), NullCondition, Objective.SelfConditioning is not null);

    /// <summary>Makes the trainer; no step is done yet. Move the network to its device first.</summary>
    /// <param name="network">The network of <see cref="CreateNetwork"/>; the caller keeps owning it.</param>
    /// <param name="images">The training images, whose classes a class-conditional network must know.</param>
    /// <param name="training">The options of the training, such as <see cref="Training"/> with a folder for checkpoints; <see cref="Training"/> itself by default.</param>
    /// <param name="logger">Where progress is logged; nowhere by default.</param>
    /// <returns>The trainer, for the caller to dispose.</returns>
    /// <exception cref="OptionsValidationException">The images have another number of classes than the network, or other classes than <see cref="DataOptions.ClassNames"/>.</exception>
    public Trainer CreateTrainer(UNet network, IImageSource images, TrainerOptions? training = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        _ = ForImages(images);
        if (NullLabel is { } none && images.Classes != none)
        {
            throw new OptionsValidationException(
                "The configuration",
                typeof(RunOptions),
                [images.Classes == 0
                    ? $"model.dialect.labels must be absent, for '{images.Name}' has no classes (a folder has one for each subfolder); it is a table of {none + 1}."
                    : $"model.dialect.labels.classes must be {images.Classes + 1}, the {images.Classes} classes of '{images.Name}' and one for no label; it is {none + 1}."]);
        }

        return new Trainer(network, Diffusion.CreateSchedule(), training ?? Training, Diffusion.CreateParameterization(), logger, Objective.Create(), NullCondition);
    }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        IEnumerable<OptionsError> sections =
        [
            .. Data.Validate().Select(error => error.Under(nameof(Data))),
            .. ModelForData().Validate().Where(error => error.Path != nameof(UNetOptions.Image)).Select(error => error.Under(nameof(Model))),
            .. Diffusion.Validate().Select(error => error.Under(nameof(Diffusion))),
            .. Objective.Validate().Select(error => error.Under(nameof(Objective))),
            .. Training.Validate().Select(error => error.Under(nameof(Training))),
            .. Sampling.Validate().Select(error => error.Under(nameof(Sampling))),
            .. Watch.Validate().Select(error => error.Under(nameof(Watch))),
        ];
        foreach (var error in sections)
        {
            yield return error;
        }

        var dialect = Model.Dialect;
        if (dialect.Labels is { } labels && (labels.Kind != LabelKind.Table || labels.Classes < 2))
        {
            yield return new OptionsError(
                $"{nameof(Model)}.{nameof(Model.Dialect)}.{nameof(dialect.Labels)}",
                $"must be a table of the classes of the images and one more, the last, that stands for no label; it is {labels.Kind} of {labels.Classes}.");
        }

        if (NullLabel is { } classes && Data.ClassNames is { } names && names.Count != classes)
        {
            yield return new OptionsError($"{nameof(Data)}.{nameof(Data.ClassNames)}", $"must be a name for each of the {classes} classes of the network; they are {names.Count}.");
        }

        if (dialect.Context is not null)
        {
            yield return new OptionsError($"{nameof(Model)}.{nameof(Model.Dialect)}.{nameof(dialect.Context)}", "must be null: the images of a configuration have no contexts.");
        }

        if (dialect.Labels is null && Sampling.Guidance != 1)
        {
            yield return new OptionsError(
                $"{nameof(Sampling)}.{nameof(Sampling.Guidance)}", FormattableString.Invariant($"must be 1 for a network without {nameof(Model)}.{nameof(Model.Dialect)}.{nameof(dialect.Labels)}; it is {Sampling.Guidance}."));
        }

        if (dialect.ExtraChannels != 0 || dialect.OutChannels is { } channels && channels != Data.Shape.Channels)
        {
            yield return new OptionsError(
                $"{nameof(Model)}.{nameof(Model.Dialect)}",
                $"must have no extra channels or other output channels: {nameof(Objective)}.{nameof(Objective.SelfConditioning)} and {nameof(Objective.LearnedVariance)} add theirs.");
        }

        if (dialect.Labels is null && Objective.ConditionDropout is { } share)
        {
            yield return new OptionsError(
                $"{nameof(Objective)}.{nameof(Objective.ConditionDropout)}", FormattableString.Invariant($"must be absent for a network without {nameof(Model)}.{nameof(Model.Dialect)}.{nameof(dialect.Labels)}; it is {share}."));
        }

        if (Watch.EvaluateEvery is { } every && (Data.Channels, Data.Size) != (EvaluatedChannels, EvaluatedSize))
        {
            yield return new OptionsError(
                $"{nameof(Watch)}.{nameof(Watch.EvaluateEvery)}",
                $"must be absent for images of {Data.Shape}: the networks that distances are measured with take grey images of {EvaluatedSize}×{EvaluatedSize}; it is {every}.");
        }

        if (Sampling.Steps > Diffusion.Timesteps)
        {
            yield return new OptionsError(
                $"{nameof(Sampling)}.{nameof(Sampling.Steps)}",
                $"must be at most {nameof(Diffusion)}.{nameof(Diffusion.Timesteps)}, {Diffusion.Timesteps}; it is {Sampling.Steps}.");
        }
        else if (Watch.PreviewSteps > Diffusion.Timesteps || Watch.EvaluationSteps > Diffusion.Timesteps)
        {
            var (name, steps) = Watch.PreviewSteps > Diffusion.Timesteps ? (nameof(Watch.PreviewSteps), Watch.PreviewSteps) : (nameof(Watch.EvaluationSteps), Watch.EvaluationSteps);
            yield return new OptionsError($"{nameof(Watch)}.{name}", $"must be at most {nameof(Diffusion)}.{nameof(Diffusion.Timesteps)}, {Diffusion.Timesteps}; it is {steps}.");
        }
        else if (!Diffusion.Validate().Concat(Sampling.Validate()).Concat(Watch.Validate()).Any() && LevelsError() is { } error)
        {
            yield return error;
        }
    }

    /// <summary>Whether this sampler finds its levels in this schedule, with the steps of drawing, of previews and of distances.</summary>
    private OptionsError? LevelsError()
    {
        if (Problem(Sampling.Steps) is { } problem)
        {
            return new OptionsError(nameof(Sampling), $"does not fit {nameof(Diffusion)}: {problem}");
        }

        foreach (var (name, every, steps) in ((string, int?, int?)[])[(nameof(Watch.PreviewSteps), Watch.PreviewEvery, Watch.PreviewSteps), (nameof(Watch.EvaluationSteps), Watch.EvaluateEvery, Watch.EvaluationSteps)])
        {
            if (every is not null && steps is not null && Problem(steps) is { } other)
            {
                return new OptionsError($"{nameof(Watch)}.{name}", $"does not fit {nameof(Sampling)} and {nameof(Diffusion)}: {other}");
            }
        }

        return null;

        string? Problem(int? steps)
        {
            try
            {
                (Sampling with { Steps = steps }).CreateSampler().Levels(Diffusion.CreateSchedule());
                return null;
            }
            catch (ArgumentException e)
            {
                return e.Message.ReplaceLineEndings(" ");
            }
        }
    }
}
