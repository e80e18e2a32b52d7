using System.Diagnostics;
using System.Globalization;
using Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// <c>speed [rounds]</c>: the time of the course's network in float32 and bfloat16 as a share of that of the same network made of
/// TorchSharp's modules (<see cref="EagerUNet"/>). All take turns in one process, and the smallest time of each counts: the processor time
/// of the process, which on a busy machine says more than the clock, divided by the threads.
/// </summary>
internal static class NetworkSpeedCommand
{
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var rounds = 5;
        if (arguments.Length > 1 || (arguments.Length == 1 && !int.TryParse(arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out rounds)))
        {
            Console.Error.WriteLine("usage: speed [rounds]");
            return 2;
        }

        DiffusionRuntime.KeepFreedMemory();
        using var module = new EagerUNet(module: true);
        using var products = new EagerUNet(module: false);
        using var ours = UNetBuilder.From(UNetPresets.Course(new ImageShape(1, 28, 28))).Build();
        (nn.Module<Tensor, Tensor, Tensor> Network, ComputePrecision Precision)[] networks =
            [(module, default), (products, default), (ours, ComputePrecision.Float32), (ours, ComputePrecision.BFloat16)];
        Console.WriteLine($"Processor time, {get_num_threads()} threads, best of {rounds} or, for forward steps, more; eager: nn.MultiheadAttention / matrix products\n");
        Console.WriteLine("| step | eager (ms) | float32 (ms) | bfloat16 (ms) | float32 / eager | bfloat16 / eager |\n|---|---|---|---|---|---|");
        foreach (var (name, batch, trains) in new[] { ("forward, 1 image", 1, false), ("forward, 16 images", 16, false), ("forward and backward, 16 images", 16, true), ("forward and backward, 64 images", 64, true) })
        {
            var best = new double[networks.Length];
            Array.Fill(best, double.PositiveInfinity);
            var turns = rounds * (trains ? 1 : batch == 1 ? 10 : 2);
            for (var round = 0; round <= turns; round++) // the first warms up
            {
                for (var i = 0; i < networks.Length; i++)
                {
                    var time = Time(networks[i].Network, networks[i].Precision, batch, trains);
                    best[i] = round == 0 ? best[i] : Math.Min(best[i], time);
                }
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {best[0]:f1} / {best[1]:f1} | {best[2]:f1} | {best[3]:f1} | {best[2] / best[0]:f2} / {best[2] / best[1]:f2} | {best[3] / best[0]:f2} / {best[3] / best[1]:f2} |"));
        }

        return 0;
    }

    private static double Time(nn.Module<Tensor, Tensor, Tensor> network, ComputePrecision precision, int batch, bool trains)
    {
        using var scope = NewDisposeScope();
        using var gradients = set_grad_enabled(trains);
        using var chosen = MixedPrecision.Use(precision);
        using var generator = new Generator(1, CPU);
        var images = randn([batch, 1, 28, 28], generator: generator);
        var timesteps = full([batch], 500L, ScalarType.Int64);
        using var process = Process.GetCurrentProcess();
        var start = process.TotalProcessorTime;
        var output = network.call(images, timesteps);
        if (trains)
        {
            nn.functional.mse_loss(output, images).backward();
        }

        process.Refresh();
        return (process.TotalProcessorTime - start).TotalMilliseconds / get_num_threads();
    }
}
