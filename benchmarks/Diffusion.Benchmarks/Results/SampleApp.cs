using System.Diagnostics;

namespace Diffusion.Benchmarks;

/// <summary>The sample app in a process of its own; its lines are shown as they come.</summary>
/// <param name="assembly">Its assembly.</param>
internal sealed class SampleApp(string assembly)
{
    /// <summary>That of this repository, built as this program is.</summary>
    /// <exception cref="FormatException">It is not built.</exception>
    public static SampleApp Find()
    {
        var path = Path.Combine("samples", "Diffusion.Sample", "bin", "Release", "net10.0", "Diffusion.Sample.dll");
        return File.Exists(path)
            ? new(path)
            : throw new FormatException($"There is no {path}. Run this from the root of the repository after 'dotnet build -c Release samples/Diffusion.Sample'.");
    }

    /// <summary>Runs a command to its end.</summary>
    /// <param name="arguments">The command and its options.</param>
    /// <returns>What it wrote to the standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public IReadOnlyList<string> Run(IReadOnlyList<string> arguments)
    {
        Console.WriteLine($"> {string.Join(' ', arguments)}");
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", assembly, .. arguments]) { RedirectStandardOutput = true })!;
        var lines = new List<string>();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            lines.Add(line);
            Console.WriteLine(line);
        }

        process.WaitForExit();
        return process.ExitCode == 0 ? lines : throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with exit code {process.ExitCode}.");
    }
}
