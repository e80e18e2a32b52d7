using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>What a network of a TorchScript file takes. By default images as they are, float32, 0 to 255.</summary>
public sealed record ScriptFeaturesOptions : IValidatedOptions
{
    /// <summary>The channels that the network takes, 1 or 3: grey images are repeated for 3. <see langword="null"/> (default) for those of the images.</summary>
    public int? Channels { get; init; }

    /// <summary>The height and width that the network takes, in pixels, at least 1, to which images are resized. <see langword="null"/> (default): they stay as they are.</summary>
    public int? Size { get; init; }

    /// <summary>How images are resized where there is a <see cref="Size"/>; by default as clean-fid does.</summary>
    public ImageResizing Resizing { get; init; } = ImageResizing.PillowBicubic;

    /// <summary>What the values 0 to 255 are multiplied by, above 0; 1 by default. With 1/255 they are 0 to 1.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>What is subtracted from the scaled values: one number, or one for each channel. Nothing by default.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [];

    /// <summary>What is then divided by, above 0: one number, or one for each channel. Nothing by default.</summary>
    public IReadOnlyList<double> StandardDeviation { get; init; } = [];

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. Channels is null or 1 or 3 ? Array.Empty<OptionsError>() : [new OptionsError(nameof(Channels), FormattableString.Invariant($"must be 1 or 3; it is {Channels}."))],
        .. OptionsValidation.Range(Size ?? 1, nameof(Size), 1, 1 << 14),
        .. OptionsValidation.Defined(Resizing, nameof(Resizing)),
        .. OptionsValidation.Range(Scale, nameof(Scale), 1e-12),
        .. Mean.SelectMany((mean, i) => OptionsValidation.Range(mean, $"{nameof(Mean)}[{i}]", -1e12)),
        .. StandardDeviation.SelectMany((deviation, i) => OptionsValidation.Range(deviation, $"{nameof(StandardDeviation)}[{i}]", 1e-12)),
    ];

    /// <summary>What differs from the defaults, for the name of the features: empty, or beginning with a blank.</summary>
    internal string Description => string.Concat(
        Channels is { } channels ? FormattableString.Invariant($" {channels} channels") : "",
        Size is { } size ? FormattableString.Invariant($" {size}x{size} {Resizing}") : "",
        Scale == 1 ? "" : FormattableString.Invariant($" x {Scale}"),
        Mean.Count == 0 ? "" : $" - {Numbers(Mean)}",
        StandardDeviation.Count == 0 ? "" : $" / {Numbers(StandardDeviation)}");

    private static string Numbers(IReadOnlyList<double> numbers) => string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)));
}
