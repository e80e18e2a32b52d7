namespace Diffusion.Models;

/// <summary>The shape of a <see cref="SpatialTransformer"/>.</summary>
internal sealed record SpatialTransformerOptions : IValidatedOptions
{
    /// <summary>The features D of a context token, at least 1; 768 by default, those of CLIP's text model that Stable Diffusion 1 uses.</summary>
    public int ContextChannels { get; init; } = 768;

    /// <summary>The number of heads, at least 1; 8 by default.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>The features of a head, at least 1; <see langword="null"/> (default): the image's channels divided by <see cref="Heads"/>, which must divide them.</summary>
    public int? HeadWidth { get; init; }

    /// <summary>The number of transformer blocks, at least 1; 1 by default.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>The groups of the normalisation, which divide the image's channels; 32 by default.</summary>
    public int NormGroups { get; init; } = 32;

    /// <summary>Whether the maps into and out of the blocks are stored as matrices [out, in]; by default they are 1×1 convolutions [out, in, 1, 1]. They compute the same.</summary>
    public bool LinearProjection { get; init; }

    /// <summary>Whether the map out of the blocks starts at zero, so that training starts from the identity; on by default.</summary>
    public bool ZeroInitialize { get; init; } = true;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(ContextChannels), ContextChannels), (nameof(Heads), Heads), (nameof(HeadWidth), HeadWidth ?? 1), (nameof(Layers), Layers), (nameof(NormGroups), NormGroups),
        })
        {
            if (value < 1)
            {
                yield return new OptionsError(name, $"must be at least 1; it is {value}.");
            }
        }
    }
}
