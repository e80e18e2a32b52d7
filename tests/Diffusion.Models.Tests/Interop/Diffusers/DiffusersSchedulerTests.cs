using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Recorded runs of diffusers schedulers, replayed with the recorded network outputs and noise (huggingface/diffusers, commit 58eb52c).</summary>
public sealed class DiffusersSchedulerTests
{
    // In this one the peer's x does not follow from its own list of timesteps: docs/parity.md, and the test of its single steps below.
    private const string StridedLinspace = "diffusers_schedulers/ddim_sample_linspace";

    private static readonly string[] Others =
    [
        "add_noise", "ddpm_T1000", "ddpm_beta_tables", "timestep_spacing", "repaint",
    ];

    // Images of up to 53 here cancel to 0.47 in one element, which single precision gets right to 3.3e-5 only: its tolerance is scaled like that of the samplers in σ.
    private const string Cancelling = "diffusers_schedulers/sde_dpmpp_o2_heun_karras";

    private const int OneTimestepLeft = 998;

    public static TheoryData<string> Runs() =>
        [.. Golden.Cases("diffusers_schedulers").Where(name => name != StridedLinspace && !Others.Any(other => name.Contains(other, StringComparison.Ordinal)))];

    [Theory]
    [MemberData(nameof(Runs))]
    public void CreateSampler_RecordedRun_MakesTheSameImages(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        var run = new SchedulerCase(golden);
        var samples = golden["samples"];
        var size = run.InSigma || run.Scheduler.ClassName.StartsWith("EDM", StringComparison.Ordinal) || name == Cancelling ? Math.Max(1, samples.abs().max().item<float>()) : 1;
        void Close(int index, Tensor actual, NoiseLevel level, string what) =>
            TensorAssert.Close(samples[index], actual.to(ScalarType.Float32) * run.Scale(level), golden.AbsoluteTolerance * size, golden.RelativeTolerance, $"{name}: {what} {index}");

        var churned = run.Options.Churn.Amount > 0;
        var replay = new ReplayDenoiser(run.Scheduler.Schedule, run.Scheduler.Parameterization, golden["model_outputs"], (call, noisy, level) =>
        {
            if (!churned)
            {
                var label = golden["timesteps"][call].to(ScalarType.Float64).item<double>();
                Assert.InRange(level.Timestep, label - (1e-4 * (1 + Math.Abs(label))), label + (1e-4 * (1 + Math.Abs(label))));
                Close(call, noisy, level, "input of call");
            }
        });
        using var noise = new ReplayNoise(golden.Tensors.ContainsKey("noise") ? golden["noise"] : null);
        var sampler = run.Grid is { } grid
            ? new DdpmSampler(null, new() { Spacing = StepSpacing.Over(grid) })
            : run.Scheduler.CreateSampler(run.Steps, run.Options);
        IDenoiser denoiser = run.Grid is null ? replay : replay.Limited(ImageLimit.Clip());
        var start = sampler.Levels(run.Scheduler.Schedule)[0];

        using var result = sampler.Continue(denoiser, samples[0] / run.Scale(start), noise, onStep: step => Close(replay.Calls, step.Noisy, step.To, "after call"));

        // A step between equal levels is left out, and noise of weight 0 at the end is not drawn.
        var calls = golden["model_outputs"].shape[0];
        var ending = samples[calls].sub(samples[calls - 1]).abs().max().item<float>() == 0 ? 1 : 0;
        Assert.Equal(calls - ending, replay.Calls);
        Assert.InRange(noise.Used, golden.Tensors.ContainsKey("noise") ? golden["noise"].shape[0] - 1 : 0, golden.Tensors.ContainsKey("noise") ? golden["noise"].shape[0] : 0);
    }

    [Theory]
    [InlineData("""{"_class_name":"DDIMScheduler","num_train_timesteps":9999999}""", "\"num_train_timesteps\" must be from 1 to 100000; it is 9999999")]
    [InlineData("""{"_class_name":"DDIMScheduler","num_train_timesteps":0}""", "\"num_train_timesteps\" must be from 1")]
    [InlineData("""{"_class_name":"DDIMScheduler","beta_start":-1}""", "beta")]
    [InlineData("""{"_class_name":"DDIMScheduler","beta_schedule":"\ud800"}""", "surrogate")]
    [InlineData("""{"_class_name":"\ud800"}""", "not JSON")]
    [InlineData("""{"_class_name":"DDIMScheduler","\ud800":1}""", "surrogate")]
    [InlineData("""{"_class_name":NaN}""", "\"NaN\"")]
    [InlineData("""{"_class_name":"DDIMScheduler","trained_betas":[2]}""", "betas[0] is 2")]
    [InlineData("""{"_class_name":"DDIMScheduler","_class_name":"DDPMScheduler"}""", "uplicate")]
    [InlineData("""{"_class_name":"DDPMScheduler","variance_type":"other"}""", "\"variance_type\" is \"other\"")]
    [InlineData("""{"_class_name":"Other"}""", "DDPMScheduler, ")]
    public void Parse_WrongValue_IsInvalidDataThatNamesIt(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void CreateSampler_ThousandSteps_EachSelectedStepIsTheRecordedOne()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("diffusers_schedulers/ddpm_T1000_selected_steps");
        var run = new SchedulerCase(golden);
        var levels = run.Scheduler.CreateSampler(1000).Levels(run.Scheduler.Schedule);
        var noises = new Queue<Tensor>(Enumerable.Range(0, (int)golden["noise"].shape[0]).Select(i => golden["noise"].narrow(0, i, 1)));
        for (var i = 0; i < golden["step_index"].shape[0]; i++)
        {
            var index = (int)golden["step_index"][i].item<long>();
            var sampler = new DdpmSampler(null, new() { Spacing = StepSpacing.Through([levels[index], levels[index + 1]]) });
            var replay = new ReplayDenoiser(run.Scheduler.Schedule, run.Scheduler.Parameterization, golden["model_outputs"].narrow(0, i, 1));
            using var noise = new ReplayNoise(levels[index + 1].Sigma > 0 ? noises.Dequeue() : null);
            using var result = sampler.Continue(replay.Limited(ImageLimit.Clip()), golden["step_inputs"][i], noise);
            var expected = golden["step_outputs"][i];
            if (index == OneTimestepLeft)
            {
                expected += RoundingOfPeer(levels[index], levels[index + 1], golden["pred_original"][i], golden["step_inputs"][i], golden["noise"][(int)golden["noise"].shape[0] - 1]);
            }

            TensorAssert.Close(expected, result, golden.AbsoluteTolerance, golden.RelativeTolerance, $"step {index}");
        }
    }

    [Fact]
    public void Step_DdimWithLinspaceSpacing_IsRightForTheLevelsThatThePeerUses()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(StridedLinspace);
        var run = new SchedulerCase(golden);
        var schedule = run.Scheduler.Schedule;
        for (var i = 0; i < run.Steps; i++)
        {
            // The peer steps to t − 100, whatever the next timestep of its list is.
            var t = (int)golden["timesteps"][i].item<long>();
            var to = t >= 100 ? schedule.LevelAt(t - 100) : NoiseLevel.Clean;
            var sampler = new DdimSampler(null, new() { Spacing = StepSpacing.Through([schedule.LevelAt(t), to]), RederiveNoise = false });
            var replay = new ReplayDenoiser(schedule, run.Scheduler.Parameterization, golden["model_outputs"].narrow(0, i, 1));
            using var noise = new ReplayNoise(null);
            using var result = sampler.Continue(replay, golden["samples"][i], noise);
            TensorAssert.Close(golden["samples"][i + 1], result, golden.AbsoluteTolerance, golden.RelativeTolerance, $"step {i}");
        }
    }

    /// <summary>
    /// What the peer loses at t = 1, where it takes β = 1 − ᾱ₁/ᾱ₀ ≈ 1.2e-4 in single precision, right to 5e-4 of its value: the step with the exact β minus the
    /// step with the rounded one.
    /// </summary>
    private static Tensor RoundingOfPeer(NoiseLevel from, NoiseLevel to, Tensor image, Tensor noisy, Tensor noise)
    {
        var (alphaBar, alphaBarBefore) = (from.Alpha * from.Alpha, to.Alpha * to.Alpha);
        Tensor Step(double beta) =>
            (image * (Math.Sqrt(alphaBarBefore) * beta / (1 - alphaBar)))
            + (noisy * (Math.Sqrt(1 - beta) * (1 - alphaBarBefore) / (1 - alphaBar)))
            + (noise * Math.Sqrt((1 - alphaBarBefore) / (1 - alphaBar) * beta));
        return Step(1 - (alphaBar / alphaBarBefore)) - Step(1 - (float)(alphaBar / alphaBarBefore));
    }
}
