using System.Buffers.Binary;
using System.IO.Compression;
using System.Xml.Linq;

namespace Diffusion.Build.Tests;

/// <summary>The packages of the folder that DIFFUSION_FEED names: eng/consume-packages.sh packs them and runs these tests.</summary>
public sealed class PackageTests
{
    private static readonly string[] s_libraries =
        ["Diffusion.Core", "Diffusion.Kernels", "Diffusion.Models", "Diffusion.Imaging", "Diffusion.Imaging.ImageSharp", "Diffusion.Observers", "Diffusion.Evaluation", "Diffusion.Configuration"];

    /// <summary>What a path of this machine begins with.</summary>
    private static string[] MachinePaths => [Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Properties.Targets)!, "..", "..", "..")), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)];

    [Fact]
    public void Packages_OfTheFeed_HaveReadmeIconLicenceAndCommit() => Assert.All(Files("*.nupkg"), file =>
    {
        using var package = ZipFile.OpenRead(file);
        var metadata = XDocument.Parse(System.Text.Encoding.UTF8.GetString(Read(package, package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).FullName)).TrimStart('\uFEFF')).Root!.Elements().Single();
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
        Assert.Equal(("README.md", "icon.png", "MIT"), (Value("readme"), Value("icon"), Value("license")));
        Assert.NotEmpty(Read(package, "README.md"));
        var icon = Read(package, "icon.png");
        Assert.Equal((0x89504E47, 128, 128), (BinaryPrimitives.ReadInt32BigEndian(icon) & 0xFFFFFFFF, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(20))));
        var repository = metadata.Elements().Single(element => element.Name.LocalName == "repository");
        Assert.Matches("^[0-9a-f]{40}$", repository.Attribute("commit")!.Value);
        Assert.StartsWith("https://", repository.Attribute("url")?.Value ?? "https://", StringComparison.Ordinal);
        // They share what is no API: a package goes with the others of its own version alone.
        Assert.All(
            metadata.Descendants().Where(element => element.Name.LocalName == "dependency" && s_libraries.Contains(element.Attribute("id")!.Value)),
            dependency => Assert.Equal($"[{Value("version")}]", dependency.Attribute("version")!.Value));
    });

    [Fact]
    public void Assemblies_OfTheLibraries_AreDeterministicAndNameNoMachine() => Assert.All(Packed(), packed =>
    {
        var (library, file, symbolFile) = packed;
        using var package = ZipFile.OpenRead(file);
        var assembly = Read(package, $"lib/net10.0/{library}.dll");
        Assert.True(Assemblies.IsDeterministic(assembly), library);
        Assert.StartsWith("/_/", Assemblies.SymbolPath(assembly), StringComparison.Ordinal);
        Assert.All(MachinePaths, path => Assert.False(Assemblies.Contains(assembly, path), $"{library}.dll has '{path}'"));

        using var symbolPackage = ZipFile.OpenRead(symbolFile);
        var symbols = Read(symbolPackage, $"lib/net10.0/{library}.pdb");
        Assert.All(MachinePaths, path => Assert.False(Assemblies.Contains(symbols, path), $"{library}.pdb has '{path}'"));
        var sources = Assemblies.Sources(symbols);
        Assert.All(sources, source => Assert.StartsWith("/_", source.Path, StringComparison.Ordinal));
        Assert.All(sources.Where(source => source.Path.Contains("/obj/", StringComparison.Ordinal)), source => Assert.True(source.Embedded, $"{source.Path} is generated, and not in the symbols"));
        Assert.Contains(sources, source => source.Path.StartsWith($"/_/src/{library}/", StringComparison.Ordinal));
    });

    /// <summary>The readers find what the tests above look for: this assembly is built as a developer builds.</summary>
    [Fact]
    public void Assemblies_OfATestProject_NameThisMachine()
    {
        var location = typeof(PackageTests).Assembly.Location;
        var assembly = File.ReadAllBytes(location);
        var path = Assemblies.SymbolPath(assembly);
        Assert.True(Path.IsPathFullyQualified(path), path);
        Assert.True(Assemblies.Contains(assembly, path));
        Assert.True(Assemblies.IsDeterministic(assembly));
        var sources = Assemblies.Sources(File.ReadAllBytes(Path.ChangeExtension(location, ".pdb")));
        Assert.Contains(sources, source => Path.GetFileName(source.Path) == nameof(PackageTests) + ".cs" && !source.Embedded && !source.Path.StartsWith("/_", StringComparison.Ordinal));
    }

    /// <summary>Each library with its package and that of its symbols; looked for before they are tested one by one, for a test can be skipped as a whole alone.</summary>
    private static List<(string Library, string Package, string Symbols)> Packed() => [.. s_libraries.Select(library => (library, Single(library, ".nupkg"), Single(library, ".snupkg")))];

    private static string Single(string library, string extension) => Assert.Single(Files(library + ".*" + extension), file => char.IsAsciiDigit(Path.GetFileName(file)[library.Length + 1]));

    private static string[] Files(string pattern)
    {
        var feed = Environment.GetEnvironmentVariable("DIFFUSION_FEED");
        Assert.SkipWhen(feed is null, "DIFFUSION_FEED names no folder of packages; eng/consume-packages.sh packs them and sets it");
        var files = Directory.GetFiles(feed!, pattern);
        Assert.NotEmpty(files);
        return files;
    }

    private static byte[] Read(ZipArchive package, string name)
    {
        var entry = package.GetEntry(name);
        Assert.True(entry is not null, $"no {name}");
        using var stream = entry.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
