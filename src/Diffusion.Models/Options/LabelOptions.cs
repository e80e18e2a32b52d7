namespace Diffusion.Models;

/// <summary>A label for each image, added to the time embedding.</summary>
public sealed record LabelOptions : IValidatedOptions
{
    /// <summary>How a label becomes a vector; a table by default.</summary>
    public LabelKind Kind { get; init; } = LabelKind.Table;

    /// <summary>The rows of the table, at least 1: labels are in [0, Classes − 1]. A label that stands for none is one of them. 10 by default.</summary>
    public int Classes { get; init; } = 10;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        if (!Enum.IsDefined(Kind))
        {
            yield return new OptionsError(nameof(Kind), $"must be one of {string.Join(", ", Enum.GetNames<LabelKind>())}; it is {Kind}.");
        }

        if (Classes < 1)
        {
            yield return new OptionsError(nameof(Classes), $"must be at least 1; it is {Classes}.");
        }
    }
}
