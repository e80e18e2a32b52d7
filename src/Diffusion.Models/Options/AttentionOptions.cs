namespace Diffusion.Models;

/// <summary>What the self-attentions of a network have in common.</summary>
public sealed record AttentionOptions : IValidatedOptions
{
    /// <summary>The channels of each head, at least 1: a block then has as many heads as fit into its channels. <see langword="null"/> (default): each block says its number of heads.</summary>
    public int? HeadWidth { get; init; }

    /// <summary>The groups of the normalisation before it; 0 for no normalisation; <see langword="null"/> (default): those of the network.</summary>
    public int? NormGroups { get; init; }

    /// <summary>What the normalisation adds to the variance, above 0; <see langword="null"/> (default): as in residual blocks.</summary>
    public double? NormEps { get; init; }

    /// <summary>How the weights of queries, keys and values are held; one matrix by default.</summary>
    public AttentionProjection Projection { get; init; } = AttentionProjection.Joint;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        if (HeadWidth is < 1)
        {
            yield return new OptionsError(nameof(HeadWidth), $"must be at least 1; it is {HeadWidth}.");
        }

        if (NormGroups is < 0)
        {
            yield return new OptionsError(nameof(NormGroups), $"must be at least 0; it is {NormGroups}.");
        }

        if (NormEps is { } eps && !(eps > 0 && double.IsFinite(eps)))
        {
            yield return new OptionsError(nameof(NormEps), FormattableString.Invariant($"must be above 0; it is {eps}."));
        }

        if (!Enum.IsDefined(Projection))
        {
            yield return new OptionsError(nameof(Projection), $"must be one of {string.Join(", ", Enum.GetNames<AttentionProjection>())}; it is {Projection}.");
        }
    }
}
