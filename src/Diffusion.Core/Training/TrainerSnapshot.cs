namespace Diffusion;

/// <summary>A copy of a run's state in memory, to be written while training goes on.</summary>
/// <param name="Manifest">What the checkpoint says of itself, but for its files.</param>
/// <param name="Files">The content of the files by their names.</param>
/// <param name="PowerFunctions">The files with averages by power functions, with their widths σ_rel.</param>
internal sealed record TrainerSnapshot(
    CheckpointManifest Manifest, IReadOnlyDictionary<string, TensorDictionary> Files, IReadOnlyList<(string File, double Width)> PowerFunctions) : IDisposable
{
    public void Dispose()
    {
        foreach (var file in Files.Values)
        {
            file.Dispose();
        }
    }
}
