using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Training losses against openai/improved-diffusion (tests/golden/README.md).</summary>
public sealed class OpenAiLossTests
{
    [Theory]
    [InlineData("openai_diffusion/loss_mse_fixed_small")]
    [InlineData("openai_diffusion/loss_mse_xstart")]
    [InlineData("openai_diffusion/loss_mse_prevx")]
    [InlineData("openai_diffusion/loss_mse_learned_range_cosine")]
    [InlineData("openai_diffusion/loss_rescaled_mse_learned_range")]
    [InlineData("openai_diffusion/loss_rescaled_kl")]
    public void PerSample_RecordedNetworks_GivesTheRecordedLossesAndGradients(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        using var network = new RecordedNetwork(golden);
        var schedule = golden.Schedule();
        var draw = new TrainingDraw(TimestepDraw.At(schedule, [.. golden["t"].data<long>().ToArray().Select(t => (int)t)]), golden["noise"]);
        var objective = new TrainingObjective { Variational = Term(golden, schedule.Timesteps) };
        var loss = TestLoss.Of(network, schedule, golden.Parameterization(schedule), objective);

        var losses = loss.PerSample(golden["x_start"], draw);
        losses.mean().backward();

        golden.Close("terms.loss", losses);
        network.CheckGradients(golden);
        TensorAssert.Close(losses.mean(), loss.Mean(golden["x_start"], draw), 1e-6, 1e-6, "mean");
    }

    /// <summary>The peer's MSE adds the term of the timestep drawn as it is, RESCALED_MSE a thousandth of its T-fold; KL has no loss beside it.</summary>
    private static VariationalTerm? Term(GoldenCase golden, int timesteps)
    {
        var variance = golden.Variance();
        var learned = variance is ReverseVariance.Learned or ReverseVariance.LearnedRange;
        return golden.Constructor.GetProperty("loss_type").GetString() switch
        {
            "MSE" => learned ? VariationalTerm.Hybrid(variance, 1.0 / timesteps) : null,
            "RESCALED_MSE" => learned ? VariationalTerm.Hybrid(variance) : null,
            "KL" => VariationalTerm.Whole(variance, 1.0 / timesteps),
            "RESCALED_KL" => VariationalTerm.Whole(variance),
            var other => throw new InvalidDataException($"Unknown loss '{other}'."),
        };
    }
}
