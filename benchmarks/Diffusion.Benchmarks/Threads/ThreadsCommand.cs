using System.Diagnostics;
using System.Globalization;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary><c>threads [--seconds N]</c>: which of libtorch's operators give other bits for another number of threads, and how many images threads of a program draw that sample one network at the same time.</summary>
internal static class ThreadsCommand
{
    private static readonly int[] s_threads = [1, 2, 3];
    private static readonly int[] s_callers = [1, 2, 4];

    public static int Run(Arguments arguments)
    {
        var (quick, seconds) = (arguments.Flag("--quick"), arguments.Number("--seconds", 10));
        arguments.End();
        Console.WriteLine($"{Machine.Line}\n\nlibtorch's operators with {string.Join(", ", s_threads)} threads, outputs and gradients, float32:\n");
        Console.WriteLine("| operator | same bits |\n|---|---|");
        foreach (var operation in ThreadedOperators.All)
        {
            Console.WriteLine($"| {operation.Name} | {(operation.HasSameBits(s_threads) ? "yes" : "no")} |");
        }

        var size = ReferenceSize.Of(quick);
        using var networks = new ReferencePair(size.Network, size.Image);
        using var denoised = new NetworkOf(networks.Ours);
        Console.WriteLine($"\nThreads of the program that draw one image each with {size.Name} at the same time, reverse steps a second of all together, {get_num_threads()} threads of libtorch and of kernels:\n");
        Console.WriteLine("| threads of the program | steps a second | to one |\n|---|---|---|");
        var one = 0.0;
        foreach (var callers in s_callers)
        {
            var rate = denoised.Rate(callers, TimeSpan.FromSeconds(quick ? 0.2 : seconds));
            one = callers == 1 ? rate : one;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {callers} | {rate:0.0} | {rate / one:0.00} |"));
        }

        return 0;
    }

    /// <summary>One network that several threads sample.</summary>
    private sealed class NetworkOf(UNet network) : IDisposable
    {
        private readonly NetworkDenoiser _denoiser = new(network, new LinearNoiseSchedule());

        public double Rate(int callers, TimeSpan time)
        {
            Draw(callers, TimeSpan.Zero); // warms up
            var clock = Stopwatch.StartNew();
            var steps = Draw(callers, time);
            return steps / clock.Elapsed.TotalSeconds;
        }

        public void Dispose() => network.train();

        private int Draw(int callers, TimeSpan time)
        {
            var (steps, clock) = (0, Stopwatch.StartNew());
            network.eval();
            var threads = Enumerable.Range(0, callers).Select(_ => new Thread(() =>
            {
                using var sampling = new OwnSampling(new DdpmSampler(), _denoiser, [1, network.Options.Image.Channels, network.Options.Image.Height, network.Options.Image.Width]);
                do
                {
                    sampling.Step();
                    Interlocked.Increment(ref steps);
                }
                while (clock.Elapsed < time);
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            return steps;
        }
    }
}
