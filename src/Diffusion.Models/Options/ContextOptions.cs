namespace Diffusion.Models;

/// <summary>
/// The context of a network, such as an encoded text, and what its blocks with attention do with it: in place of each self-attention there are transformer blocks over the pixels, which
/// attend to each other and to the context.
/// </summary>
/// <remarks>
/// High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3. Each block says its heads, or <see cref="AttentionOptions.HeadWidth"/> does; the other
/// options of self-attention do not count in a network with a context.
/// </remarks>
public sealed record ContextOptions : IValidatedOptions
{
    /// <summary>The features D of a context token, at least 1; 768 by default, those of CLIP's text model that Stable Diffusion 1 uses.</summary>
    public int Channels { get; init; } = 768;

    /// <summary>The transformer blocks in each layer with attention, at least 1; 1 by default.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether the maps into and out of the transformer blocks are stored as matrices; by default they are 1×1 convolutions.</summary>
    public bool LinearProjection { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        foreach (var (name, value) in new[] { (nameof(Channels), Channels), (nameof(Layers), Layers) })
        {
            if (value < 1)
            {
                yield return new OptionsError(name, $"must be at least 1; it is {value}.");
            }
        }
    }
}
