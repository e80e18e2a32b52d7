using System.Diagnostics;
using System.Globalization;
using Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// Prints the peak memory and the time of a training step with and without gradient checkpointing, each in a process of its own:
/// <c>memory [batch]</c>. The network is <see cref="UNetPresets.DdpmCifar10"/>; the loss, the backward pass and the gradients are there, the optimizer is not.
/// </summary>
internal static class TrainingMemoryCommand
{
    private const string Child = "measure";
    private const double Mebibyte = 1 << 20;

    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments is [Child, var recompute, var size])
        {
            Measure(bool.Parse(recompute), int.Parse(size, CultureInfo.InvariantCulture));
            return 0;
        }

        var batch = arguments.Length > 0 ? arguments[0] : "16";
        Console.WriteLine($"DDPM's CIFAR-10 network, batch of {batch}, float32, {get_num_threads()} threads\n\n| gradient checkpointing | network (MiB) | peak (MiB) | peak over network (MiB) | second step (s) |\n|---|---|---|---|---|");
        foreach (var setting in new[] { "false", "true" })
        {
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. Program(), "memory", Child, setting, batch]))!;
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                return process.ExitCode;
            }
        }

        return 0;
    }

    /// <summary>The assembly, where the process is the dotnet host.</summary>
    private static string[] Program() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(TrainingMemoryCommand).Assembly.Location] : [];

    private static void Measure(bool recompute, int batch)
    {
        var options = UNetPresets.DdpmCifar10();
        using var unet = UNetBuilder.From(options with { Dialect = options.Dialect with { GradientCheckpointing = recompute } }).Build();
        using var images = randn(batch, options.Image.Channels, options.Image.Height, options.Image.Width);
        using var timesteps = arange(batch, ScalarType.Int64);
        unet.train();
        using var self = Process.GetCurrentProcess();
        var network = self.WorkingSet64;
        Step();
        var watch = Stopwatch.StartNew();
        Step();
        watch.Stop();
        self.Refresh();
        var peak = self.PeakWorkingSet64;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {(recompute ? "on" : "off")} | {network / Mebibyte:f0} | {peak / Mebibyte:f0} | {(peak - network) / Mebibyte:f0} | {watch.Elapsed.TotalSeconds:f2} |"));

        void Step()
        {
            using var scope = NewDisposeScope();
            nn.functional.mse_loss(unet.call(images, timesteps), images).backward();
        }
    }
}
