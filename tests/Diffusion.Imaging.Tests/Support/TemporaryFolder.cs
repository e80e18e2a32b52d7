namespace Diffusion.Imaging.Tests;

/// <summary>An empty folder that is gone with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("diffusion-imaging-").FullName;

    public string File(string relativePath)
    {
        var path = System.IO.Path.Combine(Path, relativePath);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    public string Write(string relativePath, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(relativePath), content);
        return File(relativePath);
    }

    public string Write(string relativePath, PixelImage image)
    {
        ImageFile.Save(File(relativePath), image);
        return File(relativePath);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
