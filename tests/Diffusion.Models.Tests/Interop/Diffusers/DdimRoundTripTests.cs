using System.Text.Json;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Recorded inversions by DDIMInverseScheduler and the samples by DDIMScheduler from their results (huggingface/diffusers, 0.42.1), with and without clip_sample.</summary>
public sealed class DdimRoundTripTests
{
    public static TheoryData<string> Runs() => [.. Golden.Cases("diffusers_schedulers_2").Where(name => name.Contains("round_trip", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Runs))]
    public void CreateSampler_RecordedRoundTrip_MakesTheSameSamples(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        foreach (var (part, className) in new[] { ("inverse", "DDIMInverseScheduler"), ("forward", "DDIMScheduler") })
        {
            var fields = golden.Json.GetProperty("full_config").EnumerateObject().ToDictionary(field => field.Name, field => field.Value);
            fields["_class_name"] = JsonSerializer.SerializeToElement(className);
            var scheduler = DiffusersScheduler.Parse(JsonSerializer.Serialize(fields));
            var (samples, outputs, timesteps) = (golden[$"{part}.samples"], golden[$"{part}.model_outputs"], golden[$"{part}.timesteps"].data<long>().ToArray());
            var replay = new ReplayDenoiser(
                scheduler.Schedule, scheduler.Parameterization, outputs, (call, _, level) => Assert.Equal(timesteps[call], level.Timestep));
            using var noise = new ReplayNoise(null);

            var result = scheduler.CreateSampler(timesteps.Length).Continue(replay, samples[0], noise, onStep: step =>
            {
                TensorAssert.Close(samples[step.Index + 1], step.Noisy.to(ScalarType.Float32), golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: {part} {step.Index}");
                TensorAssert.Close(golden[$"{part}.pred_original"][step.Index], step.Image.to(ScalarType.Float32), golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: x̂₀ of {part} {step.Index}");
            });

            // The step from ᾱ₀ to ᾱ₀ of set_alpha_to_one = False changes nothing and is left out.
            Assert.InRange(replay.Calls, timesteps.Length - 1, timesteps.Length);
            TensorAssert.Close(samples[timesteps.Length], result, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: {part}");
        }
    }
}
