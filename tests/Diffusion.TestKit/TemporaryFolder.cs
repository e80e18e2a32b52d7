namespace Diffusion;

/// <summary>An empty folder that is deleted with all it holds.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("diffusion-tests-");

    /// <summary>The path of the folder.</summary>
    public string Path => _folder.FullName;

    /// <summary>The path of a file in the folder.</summary>
    /// <param name="name">The file's name.</param>
    public string File(string name) => System.IO.Path.Combine(_folder.FullName, name);

    /// <summary>The names of the files in the folder.</summary>
    public IReadOnlyList<string> Files => [.. _folder.EnumerateFiles().Select(file => file.Name)];

    /// <summary>Writes a file.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="content">What it holds.</param>
    /// <returns>Its path.</returns>
    public string Write(string name, ReadOnlySpan<byte> content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
