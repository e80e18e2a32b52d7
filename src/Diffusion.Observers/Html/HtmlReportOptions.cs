namespace Diffusion.Observers;

/// <summary>What an <see cref="HtmlReport"/> shows besides the steps that it sees itself.</summary>
public sealed record HtmlReportOptions : IValidatedOptions
{
    /// <summary>The heading; "Training run" by default.</summary>
    public string Title { get; init; } = "Training run";

    /// <summary>The file of the run's <see cref="CsvLog"/>, from which a resumed run has its earlier steps; <see langword="null"/> (default) for that of the first one among <see cref="Trainer.Observers"/>. Without one only new steps are shown.</summary>
    public string? StepsFile { get; init; }

    /// <summary>The file of the run's <see cref="MeasurementLog"/>, from which a resumed run has its earlier measurements; <see langword="null"/> (default) as for the steps.</summary>
    public string? MeasurementsFile { get; init; }

    /// <summary>The folder of the run's previews, from which a resumed run has its earlier ones: <c>step-00001000.png</c>, <c>step-00001000-raw.png</c>; <see langword="null"/> by default.</summary>
    public string? PicturesFolder { get; init; }

    /// <summary>How many pictures of each name are shown, evenly over the run, at least 1; 8 by default.</summary>
    public int MaxPictures { get; init; } = 8;

    /// <summary>The configuration of the run as text, JSON for example; the options of the trainer by default.</summary>
    public string? Configuration { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() => OptionsValidation.Range(MaxPictures, nameof(MaxPictures), 1);
}
