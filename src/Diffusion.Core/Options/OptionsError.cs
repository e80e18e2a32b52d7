namespace Diffusion;

/// <summary>One mistake in an options object.</summary>
/// <param name="Path">The option, such as <c>Optimizer.Beta1</c>.</param>
/// <param name="Message">What it was given and what it needs.</param>
public sealed record OptionsError(string Path, string Message)
{
    /// <summary>The same mistake seen from the object that holds these options.</summary>
    /// <param name="parent">The option that holds them.</param>
    /// <returns>The mistake with a longer path.</returns>
    public OptionsError Under(string parent) => new($"{parent}.{Path}", Message);

    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Message}";
}
