using System.Diagnostics;
using System.Globalization;
using Diffusion.Fuzzing;

namespace Diffusion.Benchmarks;

/// <summary><c>fuzz [--count N] [--seed S] [--seconds T]</c>: gives damaged and unusual files to every reader of files and counts what they do with them.</summary>
internal static class FuzzCommand
{
    private const string Usage = "usage: fuzz [--count N] [--seed S] [--seconds T]   (20000 files in all by default, and no limit of time; with one, the readers share it)";
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    /// <summary>Runs the command.</summary>
    /// <returns>0 where all is well, 1 where a reader crashes, hangs, takes too much memory or gives no reason, 2 where the arguments are wrong.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var (count, seed, seconds) = (20_000, 0, int.MaxValue);
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var known = i + 1 < arguments.Length && arguments[i] switch
            {
                "--count" => TryParse(arguments[i + 1], out count) && count > 0,
                "--seed" => TryParse(arguments[i + 1], out seed),
                "--seconds" => TryParse(arguments[i + 1], out seconds) && seconds > 0,
                _ => false,
            };
            if (!known)
            {
                Console.Error.WriteLine(Usage);
                return 2;
            }
        }

        return Run(count, seed, TimeSpan.FromSeconds(seconds));
    }

    private static int Run(int count, int seed, TimeSpan limit)
    {
        using var process = Process.GetCurrentProcess();
        var clock = Stopwatch.StartNew();
        var (files, read, refused, failures) = (0, 0, 0, 0);
        IReadOnlyList<FuzzTarget> targets = [.. FuzzTargets.All, .. FuzzKinds.All];
        for (var i = 0; i < targets.Count; i++)
        {
            var share = (count / targets.Count) + (i < count % targets.Count ? 1 : 0);
            var end = limit * ((i + 1.0) / targets.Count);
            var target = targets[i];
            var report = Watched(target with { Files = (number, start) => target.Files(number, start).TakeWhile(_ => clock.Elapsed < end) }, share, seed, clock, out var slowest);
            foreach (var failure in report.Failures.Take(5))
            {
                Console.WriteLine(failure);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report}, slowest {slowest.TotalMilliseconds:0} ms"));
            (files, read, refused, failures) = (files + report.Files, read + report.Read, refused + report.Refused, failures + report.Failures.Count);
        }

        process.Refresh();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"all: {files} files in {clock.Elapsed.TotalSeconds:0} s (seed {seed}), {read} read, {refused} refused with a reason, {failures} failures; the process took {process.PeakWorkingSet64 >> 20} MB at most"));
        return failures == 0 ? 0 : 1;
    }

    private static FuzzReport Watched(FuzzTarget target, int count, int seed, Stopwatch clock, out TimeSpan slowest)
    {
        // The number of the file being read and when it was begun; a file that is never done ends the process.
        var (current, began, longest) = (-1, clock.Elapsed, TimeSpan.Zero);
        var gate = new Lock();
        using var watch = new Timer(
            _ =>
            {
                lock (gate)
                {
                    if (current >= 0 && clock.Elapsed - began > s_hang)
                    {
                        Console.WriteLine($"{target.Name}, seed {seed}, file {current}: not done after {s_hang.TotalSeconds:0} s");
                        Environment.Exit(1);
                    }
                }
            },
            null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var report = Fuzz.Run(target, count, seed, number =>
        {
            lock (gate)
            {
                if (current >= 0 && clock.Elapsed - began > longest)
                {
                    longest = clock.Elapsed - began;
                }

                (current, began) = (number, clock.Elapsed);
            }
        });
        slowest = longest;
        return report;
    }

    private static bool TryParse(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
