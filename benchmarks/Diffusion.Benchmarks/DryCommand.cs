using System.Diagnostics;

namespace Diffusion.Benchmarks;

/// <summary><c>dry</c>: every suite once and every verb that measures, at the smallest sizes. Shows that they run; the numbers mean nothing.</summary>
internal static class DryCommand
{
    private static readonly string[][] s_runs =
    [
        ["compare", "--quick"],
        ["profile", "--quick"],
        ["profile", "--bf16", "--quick"],
        ["roofline", "--quick"],
        ["scaling", "--quick"],
        ["kernels", "--seconds", "1"],
        ["samplers", "flow"],
        ["fuzz", "--count", "200"],
        ["crash", "--kills", "2"],
        ["memory", "1"],
        ["threads", "--quick"],
        ["results", "--quick"],
        ["sensitivity", "--quick"],
        ["suites", "--quick"],
    ];

    public static int Run(Arguments arguments)
    {
        arguments.End();
        foreach (var run in s_runs)
        {
            var clock = Stopwatch.StartNew();
            Console.WriteLine($"== {string.Join(' ', run)}");
            if (Verbs.Run(run) is not 0 and var code)
            {
                Console.Error.WriteLine($"{string.Join(' ', run)} ended with {code}");
                return code;
            }

            Console.WriteLine($"== {run[0]}: {clock.Elapsed.TotalSeconds:0.0} s");
        }

        return 0;
    }
}
