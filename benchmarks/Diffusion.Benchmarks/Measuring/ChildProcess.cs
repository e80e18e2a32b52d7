using System.Diagnostics;

namespace Diffusion.Benchmarks;

/// <summary>This program again, in a process of its own: what it prints is the result.</summary>
internal static class ChildProcess
{
    /// <summary>Runs it.</summary>
    /// <param name="arguments">A verb and what follows it.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="threads">The threads of libtorch; as in this process by default.</param>
    /// <param name="environment">Variables that are set for it beside those of this process.</param>
    /// <returns>What it wrote to the standard output; <see langword="null"/> where it took longer than the limit.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static string? Run(IEnumerable<string> arguments, TimeSpan limit, int? threads = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = Program(arguments);
        if (threads is { } count)
        {
            start.Environment["OMP_NUM_THREADS"] = $"{count}";
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return null;
        }

        process.WaitForExit();
        return process.ExitCode == 0 ? output.Result : throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with exit code {process.ExitCode}.");
    }

    /// <summary>Starts it, for a caller that ends it.</summary>
    /// <param name="arguments">A verb and what follows it.</param>
    /// <returns>The process; its standard output is to be read.</returns>
    public static Process Start(IEnumerable<string> arguments) => Process.Start(Program(arguments))!;

    /// <summary>This program by itself or through dotnet; a test of it runs in another one.</summary>
    private static ProcessStartInfo Program(IEnumerable<string> arguments)
    {
        var assembly = typeof(ChildProcess).Assembly;
        var itself = Path.GetFileName(Environment.ProcessPath) == assembly.GetName().Name + (OperatingSystem.IsWindows() ? ".exe" : ""); // the tests' program begins with the same name
        return new(itself ? Environment.ProcessPath! : "dotnet", [.. itself ? [] : (string[])[assembly.Location], .. arguments]) { RedirectStandardOutput = true };
    }
}
