using System.Globalization;
using Diffusion.Configuration;
using TorchSharp;

namespace Diffusion.Benchmarks;

/// <summary>
/// <c>precision &lt;configuration&gt; [steps] [picture.svg]</c>: trains the network of a configuration on its MNIST in float32 and in
/// bfloat16, from the same weights and with the same draws, and compares the losses, smoothed over windows of 50 steps. Where they differ by more than is allowed, a third run, in float32 from weights
/// that were rounded once, shows what chance does.
/// </summary>
internal static class PrecisionCommand
{
    private const int Window = 50;
    private const double Allowed = 0.02;

    /// <returns>0 where the smoothed losses differ by at most 2 %, 1 where by more, 2 where the arguments are wrong.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var steps = 500;
        if (arguments.Length is < 1 or > 3 || (arguments.Length > 1 && (!int.TryParse(arguments[1], NumberStyles.None, CultureInfo.InvariantCulture, out steps) || steps < Window)))
        {
            Console.Error.WriteLine($"usage: precision <configuration.json> [steps, at least {Window}; 500] [picture.svg]");
            return 2;
        }

        DiffusionRuntime.KeepFreedMemory();
        var run = RunConfiguration.Load(arguments[0]);
        var exact = Losses(run, steps, ComputePrecision.Float32, rounded: false);
        var narrow = Losses(run, steps, ComputePrecision.BFloat16, rounded: false);
        var largest = Compare(exact, narrow, "bfloat16");
        if (largest > Allowed)
        {
            Compare(exact, Losses(run, steps, ComputePrecision.Float32, rounded: true), "float32 from weights that were rounded once");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest difference of bfloat16 {largest:0.00 %}, allowed {Allowed:0 %}"));
        if (arguments.Length == 3)
        {
            LossCurves.Save(arguments[2], Window, [("float32", exact), ("bfloat16", narrow)]);
        }

        return largest <= Allowed ? 0 : 1;
    }

    /// <summary>Prints the means of windows.</summary>
    /// <returns>The largest difference of two, as a share.</returns>
    private static double Compare(double[] exact, double[] losses, string name)
    {
        Console.WriteLine($"Mean loss of {Window} steps each, {torch.get_num_threads()} threads\n\n| steps | float32 | {name} | difference |\n|---|---|---|---|");
        var largest = 0.0;
        for (var end = Window; end <= exact.Length; end += Window)
        {
            double Mean(double[] values) => values.AsSpan(end - Window, Window).ToArray().Average();
            var (one, other) = (Mean(exact), Mean(losses));
            largest = Math.Max(largest, Math.Abs((other / one) - 1));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {end - Window + 1}–{end} | {one:f5} | {other:f5} | {(other / one) - 1:+0.00 %;-0.00 %;0.00 %} |"));
        }

        Console.WriteLine();
        return largest;
    }

    private static double[] Losses(RunOptions run, int steps, ComputePrecision precision, bool rounded)
    {
        using var images = run.Data.Open();
        using var network = run.CreateNetwork();
        if (rounded)
        {
            Round(network);
        }

        var options = run.Training with { Steps = steps, Epochs = null, Precision = precision, Checkpoints = new() };
        using var trainer = run.CreateTrainer(network, images, options);
        return [.. trainer.Steps(images).Select(step => step.Loss)];
    }

    /// <summary>A change as small as bfloat16 makes: where it leads is what chance does to the losses of a run.</summary>
    private static void Round(torch.nn.Module network)
    {
        using var noGradients = torch.no_grad();
        foreach (var parameter in network.parameters())
        {
            using var scope = torch.NewDisposeScope();
            parameter.copy_(parameter.to(torch.ScalarType.BFloat16));
        }
    }
}
