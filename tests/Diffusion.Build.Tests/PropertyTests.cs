using System.Diagnostics;

namespace Diffusion.Build.Tests;

/// <summary>What the repository's own build takes for a library.</summary>
public sealed class PropertyTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"diffusion {Guid.NewGuid():N}", "src", "clone"); // many keep their clones in a folder src

    [Theory]
    [InlineData("src/Diffusion.One/Diffusion.One.csproj", "true")]
    [InlineData("tests/Diffusion.One.Tests/Diffusion.One.Tests.csproj", "")]
    [InlineData("samples/One/One.csproj", "")]
    public void IsLibrary_CloneBelowAFolderSrc_IsByTheFolderInTheRepository(string project, string expected)
    {
        var repository = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Properties.Targets)!, "..", "..", ".."));
        Directory.CreateDirectory(Path.Combine(_folder, "eng"));
        foreach (var file in (string[])[.. Directory.GetFiles(repository, "Directory.*"), .. Directory.GetFiles(Path.Combine(repository, "eng"), "*.props"), .. Directory.GetFiles(Path.Combine(repository, "eng"), "*.targets")])
        {
            File.Copy(file, Path.Combine(_folder, Path.GetRelativePath(repository, file)), overwrite: true);
        }

        var path = Path.Combine(_folder, project);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $"""<Project><Import Project="{Path.Combine(_folder, "Directory.Build.props")}" /></Project>""");
        var start = new ProcessStartInfo("dotnet", ["msbuild", path, "-getProperty:DiffusionIsLibrary", "-nologo"]) { RedirectStandardOutput = true };
        foreach (var name in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name); // `dotnet test` sets these for its own build
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        Assert.Equal((0, expected), (process.ExitCode, output));
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(_folder)!)!, recursive: true);
}
