namespace Diffusion.Imaging;

/// <summary>A file of a folder that could not be read and was left out.</summary>
/// <param name="Path">The path relative to the folder, with '/' between its parts.</param>
/// <param name="Reason">Why it could not be read.</param>
public sealed record SkippedFile(string Path, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Reason}";
}
