using System.Diagnostics;
using System.Globalization;
using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary><c>kernels [--seconds N] [--seed S] [--plain]</c>: compares the layers with float64 over the whole grid, in random order.</summary>
internal static class KernelGridCommand
{
    private const string Usage = "usage: kernels [--seconds N] [--seed S] [--plain]   (0 seconds, the default: all; --plain: libtorch's own convolutions but 1×1, which corrupts memory)";
    private static readonly TimeSpan s_betweenLines = TimeSpan.FromSeconds(10);

    /// <summary>Runs the command.</summary>
    /// <returns>0 where everything is right, 1 where a configuration fails, 2 where the arguments are wrong.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var (seconds, seed, plain) = (0, 0, false);
        for (var i = 0; i < arguments.Length; i++)
        {
            var known = arguments[i] switch
            {
                "--plain" => plain = true,
                "--seconds" => ++i < arguments.Length && TryParse(arguments[i], out seconds),
                "--seed" => ++i < arguments.Length && TryParse(arguments[i], out seed),
                _ => false,
            };
            if (!known)
            {
                Console.Error.WriteLine(Usage);
                return 2;
            }
        }

        return Run(seconds == 0 ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds), seed, plain);
    }

    private static int Run(TimeSpan limit, int seed, bool plain)
    {
        var cases = KernelGrid.Shuffled(seed).Where(configuration => !plain || configuration.PlainIsSafe).ToArray();
        var worst = new Dictionary<(TorchSharp.torch.ScalarType Type, string Quantity), double>();
        var (done, failed, nextLine, clock) = (0, 0, s_betweenLines, Stopwatch.StartNew());
        foreach (var configuration in cases)
        {
            if (clock.Elapsed >= limit)
            {
                break;
            }

            var errors = configuration.Errors(seed, plain);
            var failures = KernelFailure.Among(configuration.ToString(), configuration.Type, errors).ToArray();
            foreach (var failure in failures)
            {
                Console.WriteLine(failure);
            }

            foreach (var (quantity, error) in failures.Length == 0 ? errors : [])
            {
                var key = (configuration.Type, quantity);
                worst[key] = Math.Max(worst.GetValueOrDefault(key), error);
            }

            (done, failed) = (done + 1, failed + (failures.Length == 0 ? 0 : 1));
            if (clock.Elapsed >= nextLine)
            {
                Console.WriteLine($"{done} of {cases.Length} configurations after {clock.Elapsed.TotalSeconds:0} s, {failed} wrong");
                nextLine = clock.Elapsed + s_betweenLines;
            }
        }

        foreach (var ((type, quantity), error) in worst.OrderBy(entry => entry.Key.Type).ThenBy(entry => entry.Key.Quantity))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest error of what is right, {type} {quantity}: {error:0.0e+0}"));
        }

        Console.WriteLine(
            $"{(plain ? "libtorch's convolutions" : "this library's layers")}: {done} of {cases.Length} configurations checked in "
            + $"{clock.Elapsed.TotalSeconds:0} s (seed {seed}), {failed} wrong");
        return failed == 0 ? 0 : 1;
    }

    private static bool TryParse(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
