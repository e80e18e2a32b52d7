using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// Prints how far every sampler ends from the exact solution after few steps: the distance (Wasserstein-2) between the pixels it makes and the data, for data
/// whose denoiser is known exactly. What is left is the sampler's own error: no network is involved.
/// </summary>
internal static class SamplerAccuracyCommand
{
    private const int Side = 256;
    private const int Pixels = Side * Side;

    private static readonly int[] Counts = [5, 10, 20, 50];

    public static int Run(ReadOnlySpan<string> arguments)
    {
        var schedules = arguments.Length > 0 ? arguments.ToArray() : ["linear", "cosine", "flow"];
        using var start = tensor(Enumerable.Range(0, Pixels).Select(i => (float)Normal.Quantile((i + 0.5) / Pixels)).ToArray()).view(1, 1, Side, Side);
        using var exact = tensor(Enumerable.Range(0, Pixels).Select(i => (float)MixtureDenoiser.Quantile((i + 0.5) / Pixels)).ToArray());
        Console.WriteLine($"Pixels drawn from the data itself are off by {Drawn(exact).ToString("0.0000", CultureInfo.InvariantCulture)}: what is left to stochastic samplers.");
        foreach (var name in schedules)
        {
            foreach (var spacing in new[] { StepSpacing.Linspace, StepSpacing.Trailing, StepSpacing.Karras(), StepSpacing.LogSnr })
            {
                Console.WriteLine($"\n### Schedule {name}, spacing {spacing}\n\n| sampler | calls a step | {string.Join(" | ", Counts.Select(count => $"{count} steps"))} |\n|---|---|{string.Concat(Counts.Select(_ => "---|"))}");
                foreach (var sampler in Sampler.Names.Where(sampler => sampler != "lcm"))
                {
                    Console.WriteLine(Row(sampler, name, spacing, start, exact));
                }
            }
        }

        return 0;
    }

    private static double Drawn(Tensor exact)
    {
        using var scope = NewDisposeScope();
        using var noise = new SeededNoise(2);
        var normal = noise.Draw([1, Pixels], CPU).data<float>().ToArray();
        var pixels = tensor(normal.Select(value => (float)MixtureDenoiser.Quantile(Normal.Distribution(value))).ToArray());
        return (pixels.sort().Values - exact).square().mean().sqrt().item<float>();
    }

    private static string Row(string sampler, string name, StepSpacing spacing, Tensor start, Tensor exact)
    {
        var denoiser = new CountingDenoiser(new MixtureDenoiser(NoiseSchedule.Create(name)));
        var cells = Counts.Select(count => Error(Sampler.Create(sampler, count, spacing), denoiser, start, exact).ToString("0.0000", CultureInfo.InvariantCulture)).ToList();
        return string.Create(CultureInfo.InvariantCulture, $"| {sampler} | {(double)denoiser.Calls / Counts.Sum():0.0} | {string.Join(" | ", cells)} |");
    }

    private static double Error(Sampler sampler, CountingDenoiser denoiser, Tensor start, Tensor exact)
    {
        using var scope = NewDisposeScope();
        using var noise = new SeededNoise(1);
        using var end = sampler.Continue(denoiser, start * sampler.Levels(denoiser.Schedule)[0].Scale, noise);
        return (end.flatten().sort().Values - exact).square().mean().sqrt().item<float>();
    }
}
