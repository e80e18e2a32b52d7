using System.Text;
using System.Text.RegularExpressions;

namespace Diffusion.Sample.Tests;

/// <summary>What a console shows that has no Unicode.</summary>
public sealed class ConsoleTextTests
{
    private static readonly string s_root = Path.GetFullPath(Path.Combine(Golden.Folder, "..", ".."));

    [Fact]
    public void Write_OtherCodePage_SpellsEverySignOfTheSources()
    {
        // Literals in double quotes on lines that are no comments.
        var literals = new[] { "src", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(s_root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != "ConsoleText.cs" && !file.Replace('\\', '/').Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(File.ReadLines)
            .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
            .SelectMany(line => Regex.Matches(line, "\"[^\"]*\"").Select(match => match.Value));
        var text = string.Concat(literals);
        Assert.Contains('×', text);
        Assert.Equal([], text.Where(sign => sign > 127).Distinct().Where(sign => Written(sign.ToString(), Encoding.ASCII) == "?"));
    }

    [Fact]
    public void Write_OtherCodePage_SpellsSigns() => Assert.Equal("8x1 -> 16x1... +--+ in C:\\?", Written("8×1 → 16×1… ┌──┐ in C:\\ü", Encoding.ASCII));

    [Fact]
    public void Write_Unicode_LeavesSigns() => Assert.Equal("8×1 → 16×1… ┌──┐", Written("8×1 → 16×1… ┌──┐", new UTF8Encoding(false)));

    [Fact]
    public void Write_TerminalGone_IsSilent()
    {
        using var text = new ConsoleText(new StreamWriter(new Closed()) { AutoFlush = true }, redirected: false);
        text.WriteLine("step 1");
        text.Flush();
    }

    [Fact]
    public void Write_FileFull_IsAnError()
    {
        using var text = new ConsoleText(new StreamWriter(new Closed()) { AutoFlush = true }, redirected: true);
        Assert.Throws<IOException>(() => text.WriteLine("step 1"));
    }

    [Fact]
    public async Task Info_OtherCodePage_IsSpelled()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the encoding is the console's there, and not a variable's");
        using var app = new SampleProcess();
        using var weight = TorchSharp.torch.zeros(2, 3);
        Safetensors.Save(app.At("weights.safetensors"), [KeyValuePair.Create("weight", weight)]);
        using var process = app.StartProgram("env", "LC_ALL=de_DE.ISO-8859-1", "dotnet", SampleProcess.App, "info", "weights.safetensors");
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        Assert.Contains("2x3", output, StringComparison.Ordinal);
        Assert.DoesNotContain(output, sign => sign is '?' or > '\u007F');
    }

    private static string Written(string text, Encoding encoding)
    {
        using var stream = new MemoryStream();
        using var writer = new ConsoleText(new StreamWriter(stream, encoding) { AutoFlush = true }, redirected: true);
        writer.Write(text);
        return encoding.GetString(stream.ToArray());
    }

    /// <summary>What a terminal that is gone, or a disk that is full, answers.</summary>
    private sealed class Closed : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("Input/output error");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("Input/output error");
    }
}
