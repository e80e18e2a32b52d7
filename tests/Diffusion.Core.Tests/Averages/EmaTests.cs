using System.Text.Json;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Averages of lucidrains/ema-pytorch (commit 72d498d) and the warm-up of crowsonkb/k-diffusion (commit 4601bf0).</summary>
public sealed class EmaTests
{
    [Theory]
    [InlineData("lucidrains/ema_default_warmup")]
    [InlineData("lucidrains/ema_every3")]
    public void Update_RecordedWeights_GivesTheRecordedAverages(string name)
    {
        using var golden = Golden.Case(name);
        using var scope = NewDisposeScope();
        var arguments = golden.Constructor;
        var options = new EmaOptions
        {
            Decay = arguments.GetProperty("beta").GetDouble(),
            StartAfter = arguments.GetProperty("update_after_step").GetInt32(),
            Every = arguments.GetProperty("update_every").GetInt32(),
            Power = Number(arguments, "power", 2.0 / 3),
            InverseGamma = Number(arguments, "inv_gamma", 1),
            MinDecay = Number(arguments, "min_value", 0),
        };
        Assert.Empty(options.Validate());
        var weights = golden["W"];
        using var ema = new EmaWeights(weights[0], options);
        for (var i = 0; i < weights.shape[0]; i++)
        {
            ema.Values.lerp_(weights[i], ema.WeightAt(i));
            TensorAssert.Close(golden["ema"][i], ema.Values, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: update {i}");
            Assert.Equal(golden["decay"][i].item<double>(), options.DecayAt(i), golden.AbsoluteTolerance);
        }
    }

    [Fact]
    public void DecayAt_RecordedWarmUps_AreEqualFromTheFirstCountedUpdate()
    {
        using var golden = Golden.Case("k_diffusion/ema_warmup");
        using var scope = NewDisposeScope();
        var configurations = golden.Constructor.GetProperty("configs");
        for (var c = 0; c < configurations.GetArrayLength(); c++)
        {
            var arguments = configurations[c];
            var options = new EmaOptions
            {
                Decay = Math.Min(Number(arguments, "max_value", 1), 0.9999999),
                StartAfter = (int)Number(arguments, "start_at", 0),
                Power = Number(arguments, "power", 1),
                InverseGamma = Number(arguments, "inv_gamma", 1),
                MinDecay = Number(arguments, "min_value", 0),
            };
            var recorded = golden[$"{c}.decay"].data<double>().ToArray();
            for (var i = options.StartAfter + 1; i < recorded.Length; i++)
            {
                Assert.Equal(recorded[i], options.DecayAt(i), golden.AbsoluteTolerance);
            }

            // Before that the average is set to the weights; the peer keeps its smallest decay of a start that is random.
            Assert.Equal(0, options.DecayAt(0));
            Assert.Equal(options.MinDecay, recorded[0], 1e-12);
        }
    }

    private static double Number(JsonElement arguments, string name, double otherwise) => arguments.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
}
