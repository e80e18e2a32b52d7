using System.Diagnostics;
using System.Security.Cryptography;

namespace Diffusion.Build.Tests;

/// <summary>
/// A user's project in a folder of its own, outside the repository, that imports the targets as the package would make it.
/// Its first statement is a TorchSharp call: nothing of ours runs before the native library loads.
/// </summary>
internal sealed class Consumer : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"diffusion build {Guid.NewGuid():N}"); // with spaces
    private readonly string[] _properties;

    public Consumer(string? runtimeIdentifier = null)
    {
        Directory.CreateDirectory(_folder);
        _properties = ["-c", "Release", "-nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false"];
        var runtime = runtimeIdentifier is null ? string.Empty : $"<RuntimeIdentifier>{runtimeIdentifier}</RuntimeIdentifier><SelfContained>false</SelfContained>";
        File.WriteAllText(Path.Combine(_folder, "Consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <NuGetAudit>false</NuGetAudit>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
                <CreateHardLinksForPublishFilesIfPossible>true</CreateHardLinksForPublishFilesIfPossible>
                {runtime}
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="TorchSharp" Version="{Properties.TorchSharpVersion}" />
                <PackageReference Include="libtorch-cpu-linux-x64" Version="{Properties.LibTorchVersion}" />
                <PackageReference Include="SkiaSharp" Version="{Properties.SkiaSharpVersion}" />
              </ItemGroup>
              <Target Name="UseOtherLibrary" BeforeTargets="_DiffusionFindNativeLibrary" Condition="'$(OtherLibrary)' != ''">
                <ItemGroup>
                  <RuntimeTargetsCopyLocalItems Remove="@(RuntimeTargetsCopyLocalItems)" Condition="'%(Filename)%(Extension)' == 'libLibTorchSharp.so'" />
                  <RuntimeTargetsCopyLocalItems Include="$(OtherLibrary)" DestinationSubPath="runtimes/linux-x64/native/libLibTorchSharp.so" />
                </ItemGroup>
              </Target>
              <Import Project="{Properties.Targets}" />
            </Project>
            """);
        File.WriteAllText(
            Path.Combine(_folder, "Program.cs"),
            "System.Console.WriteLine(TorchSharp.torch.ones(2).sum().item<float>());\n");
        File.WriteAllText(Path.Combine(_folder, "Directory.Build.props"), "<Project />"); // none of a parent folder applies
        File.WriteAllText(Path.Combine(_folder, "Directory.Build.targets"), "<Project />");
        File.WriteAllText(Path.Combine(_folder, "Directory.Packages.props"), "<Project />");
        OldRuntime = Write("old libstdc++.so.6", "\0GLIBCXX_3.4.29\0GLIBCXX_3.4.3\0GLIBCXX_3.4.30\0");
        NewRuntime = Write("new libstdc++.so.6", "\0GLIBCXX_3.4.30\0GLIBCXX_3.4.32\0GLIBCXX_3.4.33\0");
    }

    /// <summary>A stand-in for a libstdc++ without the version.</summary>
    public string OldRuntime { get; }

    /// <summary>A stand-in for a libstdc++ with the version.</summary>
    public string NewRuntime { get; }

    /// <summary>The package's library, which no build may change.</summary>
    public static string PackageHash => Hash(Properties.NativeLibrary);

    public static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    public string Write(string name, string content) => Write(name, System.Text.Encoding.Latin1.GetBytes(content));

    public string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public string Build(params string[] properties) => Dotnet(["build", .. _properties, .. properties]);

    public string Publish(string output, params string[] properties) =>
        Dotnet(["publish", "-o", Path.Combine(_folder, output), .. _properties, .. properties]);

    /// <summary>Which libLibTorchSharp.so a build would copy, and what the build printed; compiles and copies nothing.</summary>
    public (string Library, string Log) Resolve(params string[] properties)
    {
        var result = Path.Combine(_folder, "items.txt");
        var log = Dotnet(["build", "-t:ResolvePackageAssets", $"-getItem:RuntimeTargetsCopyLocalItems", $"-getResultOutputFile:{result}", .. _properties, .. properties]);
        using var items = System.Text.Json.JsonDocument.Parse(File.ReadAllText(result));
        var library = items.RootElement.GetProperty("Items").GetProperty("RuntimeTargetsCopyLocalItems").EnumerateArray()
            .Select(item => item.GetProperty("FullPath").GetString()!).Single(path => path.EndsWith(".so", StringComparison.Ordinal) && path.Contains("TorchSharp", StringComparison.Ordinal));
        return (library, log);
    }

    /// <summary>Runs the program; the exit code is 0 only if the native library loaded.</summary>
    public (int ExitCode, string Output) Run(params string[] path) => Start(Path.Combine([_folder, .. path]), []);

    public string PathOf(params string[] path) => Path.Combine([_folder, .. path]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Dotnet(IEnumerable<string> arguments)
    {
        var (code, output) = Start(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet", arguments);
        return code == 0 ? output : throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)}\n{output}");
    }

    private (int ExitCode, string Output) Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name); // `dotnet test` sets these for its own build
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
