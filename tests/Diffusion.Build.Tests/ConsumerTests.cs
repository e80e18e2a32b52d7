namespace Diffusion.Build.Tests;

/// <summary>Whole builds of a user's project: what is copied, what runs, what is left alone.</summary>
public sealed class ConsumerTests
{
    private const string Library = "libLibTorchSharp.so";
    private const string Notice = "gets a copy of libLibTorchSharp.so";

    [Fact]
    public void Build_OldLibstdcxx_ReplacesStaleOutputAndRuns()
    {
        SkipUnlessLinux();

        var package = Consumer.PackageHash;
        using var consumer = new Consumer();
        var built = consumer.PathOf("bin", "Release", "net10.0", "runtimes", "linux-x64", "native", Library);
        var old = $"-p:_DiffusionLibstdcxx={consumer.OldRuntime}";

        // Turned off: the output has the package's library, and here is the stale output for the next build.
        Assert.DoesNotContain(Notice, consumer.Build("-p:DiffusionNativeFix=off"), StringComparison.Ordinal);
        Assert.Equal(package, Consumer.Hash(built));

        var first = consumer.Build(old);
        Assert.Single(Lines(first, Notice));
        Assert.Contains("lacks GLIBCXX_3.4.32", first, StringComparison.Ordinal);
        var changed = Consumer.Hash(built);
        Assert.NotEqual(package, changed);
        Assert.Equal(1, CountDifferences(Properties.NativeLibrary, built));
        AssertRuns(consumer.Run("bin", "Release", "net10.0", "Consumer"));

        // Nothing to do the second time, and nothing said.
        var second = consumer.Build(old);
        Assert.Empty(Lines(second, Notice));
        Assert.Equal(changed, Consumer.Hash(built));

        consumer.Publish("published", "--no-build", old);
        Assert.Equal(changed, Consumer.Hash(consumer.PathOf("published", "runtimes", "linux-x64", "native", Library)));
        AssertRuns(consumer.Run("published", "Consumer"));

        // Off again: the package's library comes back.
        consumer.Build("-p:DiffusionNativeFix=off");
        Assert.Equal(package, Consumer.Hash(built));
        Assert.Equal(package, Consumer.PackageHash);
    }

    [Fact]
    public void Publish_RuntimeIdentifierAndSingleFile_Runs()
    {
        SkipUnlessLinux();

        var package = Consumer.PackageHash;
        using var consumer = new Consumer("linux-x64");
        var old = $"-p:_DiffusionLibstdcxx={consumer.OldRuntime}";

        Assert.Single(Lines(consumer.Build(old), Notice));
        var built = consumer.PathOf("bin", "Release", "net10.0", "linux-x64", Library);
        Assert.Equal(1, CountDifferences(Properties.NativeLibrary, built));
        AssertRuns(consumer.Run("bin", "Release", "net10.0", "linux-x64", "Consumer"));

        consumer.Publish("single", old, "-p:PublishSingleFile=true");
        Assert.False(File.Exists(consumer.PathOf("single", "Consumer.dll")), "not a single-file publication");
        Assert.Equal(Consumer.Hash(built), Consumer.Hash(consumer.PathOf("single", Library)));
        AssertRuns(consumer.Run("single", "Consumer"));

        Assert.Equal(package, Consumer.PackageHash);
    }

    [Fact]
    public void Resolve_EveryMode_ActsOnlyWhereItShould()
    {
        SkipUnlessLinux();

        using var consumer = new Consumer();
        var (old, @new) = ($"-p:_DiffusionLibstdcxx={consumer.OldRuntime}", $"-p:_DiffusionLibstdcxx={consumer.NewRuntime}");
        consumer.Resolve("-restore", @new);

        Assert.Equal(Properties.NativeLibrary, consumer.Resolve(@new).Library);
        Assert.Equal(Properties.NativeLibrary, consumer.Resolve(old, "-p:DiffusionNativeFix=off").Library);
        AssertFixed(consumer.Resolve(@new, "-p:DiffusionNativeFix=always"), "DiffusionNativeFix is 'always'");
        AssertFixed(consumer.Resolve("-p:_DiffusionLibstdcxx=/nowhere/libstdc++.so.6", "-p:IntermediateOutputPath=obj/nowhere/"), "was not found");

        var error = Assert.Throws<InvalidOperationException>(() => consumer.Resolve("-p:DiffusionNativeFix=sometimes"));
        Assert.Contains("DIFFUSION002", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_LibraryThatCannotBeFixed_WarnsAndLeavesItAsItIs()
    {
        SkipUnlessLinux();

        using var consumer = new Consumer();
        var old = $"-p:_DiffusionLibstdcxx={consumer.OldRuntime}";
        Directory.CreateDirectory(consumer.PathOf("damaged"));
        var other = consumer.Write(Path.Combine("damaged", Library), File.ReadAllBytes(Properties.NativeLibrary));
        AssertFixed(consumer.Resolve("-restore", old, $"-p:OtherLibrary={other}"), "lacks GLIBCXX_3.4.32");

        consumer.Write(Path.Combine("damaged", Library), File.ReadAllBytes(Properties.NativeLibrary)[..100_000]);
        var (library, log) = consumer.Resolve(old, $"-p:OtherLibrary={other}");

        Assert.Equal(other, library);
        Assert.Contains("warning DIFFUSION001", log, StringComparison.Ordinal);
        Assert.Contains("GLIBCXX_3.4.32", log, StringComparison.Ordinal);
        Assert.Contains("install libstdc++ of GCC 13.2 or newer", log, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(consumer.PathOf("obj"), Library + "*", SearchOption.AllDirectories)); // the copy of the first build is gone
    }

    private static void AssertFixed((string Library, string Log) resolved, string reason)
    {
        Assert.Contains("diffusion-native", resolved.Library, StringComparison.Ordinal);
        Assert.Equal(1, CountDifferences(Properties.NativeLibrary, resolved.Library));
        Assert.Contains(reason, Assert.Single(Lines(resolved.Log, Notice)), StringComparison.Ordinal);
    }

    private static void AssertRuns((int ExitCode, string Output) run)
    {
        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Equal("2", run.Output.Trim());
    }

    private static int CountDifferences(string a, string b)
    {
        var (x, y) = (File.ReadAllBytes(a), File.ReadAllBytes(b));
        Assert.Equal(x.Length, y.Length);
        return Enumerable.Range(0, x.Length).Count(i => x[i] != y[i]);
    }

    private static IEnumerable<string> Lines(string text, string part) => text.Split('\n').Where(l => l.Contains(part, StringComparison.Ordinal));

    private static void SkipUnlessLinux() => Assert.SkipUnless(
        OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64,
        "the native-library fix concerns Linux on x64 only");
}
