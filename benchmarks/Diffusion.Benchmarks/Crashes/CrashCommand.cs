using System.Diagnostics;
using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary><c>crash [--kills N] [--seed S]</c>: kills a process that trains at random moments, and looks at what it leaves.</summary>
internal static class CrashCommand
{
    private const int StepsOfAProcess = 30;
    private const double LongestWait = 30; // milliseconds after a step: some checkpoints long

    /// <summary>Runs the command.</summary>
    /// <returns>0 where every kill left what was whole before and the run ends with the bits of one that was not disturbed; 1 otherwise.</returns>
    public static int Run(Arguments arguments)
    {
        var (kills, seed) = (arguments.Number("--kills", 200), arguments.Number("--seed", 1));
        arguments.End();
        return Run(kills, seed, Console.Out);
    }

    /// <inheritdoc cref="Run(Arguments)"/>
    internal static int Run(int kills, int seed, TextWriter output)
    {
        var folder = Directory.CreateTempSubdirectory("diffusion-crash-");
        try
        {
            return Run(kills, new SeededRandom(seed), folder.FullName, output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Run(int kills, SeededRandom random, string folder, TextWriter output)
    {
        var (steps, clock) = (kills * StepsOfAProcess, Stopwatch.StartNew());
        var (whole, parts) = (Path.Combine(folder, "whole"), Path.Combine(folder, "parts"));
        CrashRun.Train(whole, steps, _ => { });
        var checkpoints = new CrashFolder(parts);
        var (killed, failures) = (0, 0);
        for (var i = 0; i < kills; i++)
        {
            killed += KillAtRandom(parts, steps, random) ? 1 : 0;
            foreach (var loss in checkpoints.Losses())
            {
                output.WriteLine($"kill {i + 1}: {loss}");
                failures++;
            }
        }

        CrashRun.Train(parts, steps, _ => { });
        var same = new CrashFolder(whole).Newest().OrderBy(file => file.Key, StringComparer.Ordinal).SequenceEqual(checkpoints.Newest().OrderBy(file => file.Key, StringComparer.Ordinal));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{killed} of {kills} processes killed in a run of {steps} steps, {failures} losses; it {(same ? "ends with the bits of" : "does not end as")} one that was not disturbed ({clock.Elapsed.TotalSeconds:0} s)"));
        return failures == 0 && same && killed >= kills / 2 ? 0 : 1;
    }

    /// <returns>Whether the process was still running.</returns>
    private static bool KillAtRandom(string folder, int steps, SeededRandom random)
    {
        using var process = ChildProcess.Start([CrashRun.Verb, folder, steps.ToString(CultureInfo.InvariantCulture)]);
        for (var left = (int)(random.NextDouble() * StepsOfAProcess * 2); left >= 0 && process.StandardOutput.ReadLine() is not null; left--)
        {
            // one step more
        }

        if (process.WaitForExit(TimeSpan.FromMilliseconds(random.NextDouble() * LongestWait)))
        {
            return process.ExitCode == 0 ? false : throw new InvalidOperationException($"'{CrashRun.Verb}' ended with exit code {process.ExitCode} before it was killed.");
        }

        process.Kill();
        process.WaitForExit();
        return true;
    }
}
