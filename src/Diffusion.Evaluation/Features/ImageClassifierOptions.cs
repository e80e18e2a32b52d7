namespace Diffusion.Evaluation;

/// <summary>How a classifier is trained. The defaults are those of the committed digits.</summary>
public sealed record ImageClassifierOptions : IValidatedOptions
{
    /// <summary>What the name of its features begins with; <c>classifier</c> by default. Letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</summary>
    public string Name { get; init; } = "classifier";

    /// <summary>How often each image is seen, at least 1; 12 by default.</summary>
    public int Epochs { get; init; } = 12;

    /// <summary>Images a step, at least 1; 64 by default.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The largest learning rate of AdamW, above 0; 0.002 by default. It falls to 0 along half a cosine.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>The weight decay of AdamW, at least 0; 0.01 by default. Biases are left out.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>
    /// How far images are turned, scaled, moved and bent at random while it learns, at least 0; 1 by default: up to 12° and 10 % and 2.5 pixels, bent by about a pixel. 0 for none, where the source varies
    /// its images itself, or where they mean something else when they are turned.
    /// </summary>
    public double Distortion { get; init; } = 1;

    /// <summary>The seed of the weights, the order and the distortions; 0 by default.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. string.IsNullOrEmpty(Name) || !Name.All(IsPlain) ? [new OptionsError(nameof(Name), $"must be of letters, digits, '-', '_' and '.', at least one; it is '{Name}'.")] : Array.Empty<OptionsError>(),
        .. OptionsValidation.Range(Epochs, nameof(Epochs), 1),
        .. OptionsValidation.Range(BatchSize, nameof(BatchSize), 1),
        .. OptionsValidation.Range(LearningRate, nameof(LearningRate), 1e-12),
        .. OptionsValidation.Range(WeightDecay, nameof(WeightDecay), 0.0),
        .. OptionsValidation.Range(Distortion, nameof(Distortion), 0.0, 10.0),
    ];

    internal static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.';
}
