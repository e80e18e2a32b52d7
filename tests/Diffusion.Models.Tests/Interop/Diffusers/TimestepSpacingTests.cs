using System.Text.Json;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>The timesteps of diffusers schedulers for every spacing, offset and number of steps (huggingface/diffusers, commit 58eb52c).</summary>
public sealed class TimestepSpacingTests
{
    // Its Runge–Kutta steps have the middle at T/steps/2 whatever the distance of the timesteps is: docs/parity.md.
    private const string UnevenMiddles = "PNDMScheduler.linspace";

    [Theory]
    [InlineData("diffusers_schedulers/timestep_spacing", 1000)]
    [InlineData("diffusers_schedulers/timestep_spacing_T100", 100)]
    public void CreateSampler_EverySpacing_AsksForTheRecordedTimesteps(string name, int timesteps)
    {
        using var golden = Golden.Case(name);
        var wrong = new List<string>();
        foreach (var key in golden.Tensors.Keys.Where(key => !key.StartsWith(UnevenMiddles, StringComparison.Ordinal)))
        {
            var parts = key.Split('.');
            var scheduler = DiffusersScheduler.Parse(JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["_class_name"] = parts[0], ["num_train_timesteps"] = timesteps, ["timestep_spacing"] = parts[1], ["steps_offset"] = int.Parse(parts[2][3..]),
            }));
            using var scope = NewDisposeScope();
            double[] expected = golden[key].to(ScalarType.Float64).data<double>().ToArray();
            if (parts[0].StartsWith("DPM", StringComparison.Ordinal) || parts[0].StartsWith("UniPC", StringComparison.Ordinal))
            {
                expected = [.. expected.Distinct()]; // steps between equal timesteps, with about as many steps as timesteps, are left out
            }

            var actual = Asked(scheduler, int.Parse(parts[3][1..]));
            if (actual.Count != expected.Length || expected.Zip(actual).Any(pair => Math.Abs(pair.First - pair.Second) > 1e-4))
            {
                wrong.Add($"{key}: expected {string.Join(' ', expected.Take(12))} (of {expected.Length}), was {string.Join(' ', actual.Take(12))} (of {actual.Count})");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    private static List<double> Asked(DiffusersScheduler scheduler, int steps)
    {
        var asked = new List<double>();
        var denoiser = new FunctionDenoiser(scheduler.Schedule, (noisy, level) =>
        {
            asked.Add(level.Timestep);
            return zeros_like(noisy);
        });
        using var start = zeros(1, 1, 1, 1);
        using var noise = new SeededNoise(1);
        using var result = scheduler.CreateSampler(steps).Continue(denoiser, start, noise);
        return asked;
    }
}
