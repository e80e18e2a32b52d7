using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Rectified flows that were trained here as folders of diffusers, with a FlowMatchEulerDiscreteScheduler.</summary>
public sealed class FlowHandOverTests : IDisposable
{
    private static readonly ImageShape s_image = new(1, 8, 8);

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(1000, 1)]
    [InlineData(1000, 3)]
    [InlineData(250, 0.7)]
    [InlineData(7, 1.15)]
    public void Save_Flow_ReadsBackToTheSameSamples(int timesteps, double shift)
    {
        using var scope = NewDisposeScope();
        using var network = Network(labels: 3);
        var schedule = NoiseSchedule.RectifiedFlow(timesteps, shift);
        using var pipeline = DiffusersPipeline.From(network, schedule, Parameterization.Flow, nullLabel: 2, classNames: ["cat", "dog"]);
        pipeline.Save(_folder.File("p"));

        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal(timesteps, read.Schedule.Timesteps);
        Assert.All(Enumerable.Range(0, timesteps), t => Assert.Equal(schedule.LevelAt(t), read.Schedule.LevelAt(t)));
        Assert.Equal((Parameterization.Flow, "FlowMatchEulerDiscreteScheduler", 2L), (read.Parameterization, read.Scheduler.ClassName, read.NullLabel));
        Assert.Equal(["cat", "dog"], read.ClassNames!);
        Assert.Equal(ImageLimit.None.ToString(), read.Limit.ToString());
        var denoiser = new NetworkDenoiser(network, schedule, Parameterization.Flow, Condition.OfLabels(2)).With(1).Guided(2);
        foreach (var sampler in new Sampler[] { new HeunSampler(5), new EulerSampler(5), new DpmSolverSampler(5) })
        {
            TensorAssert.Identical(sampler.Sample(denoiser, s_image.Batch(2), seed: 3), sampler.Sample(read.Denoiser.With(1).Guided(2), s_image.Batch(2), seed: 3), sampler.ToString()!);
        }

        TensorAssert.Identical(
            pipeline.CreateSampler(5).Sample(pipeline.Denoiser.With(0), s_image.Batch(2), seed: 3), read.CreateSampler(5).Sample(read.Denoiser.With(0), s_image.Batch(2), seed: 3), "the scheduler's own steps");
    }

    /// <summary>The scheduler of the folder takes Euler's steps on the schedule that the network was trained with, which without a shift are evenly spaced.</summary>
    [Fact]
    public void CreateSampler_FlowWithoutShift_IsEulersMethodEvenlyInSigma()
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        using var pipeline = DiffusersPipeline.From(network, NoiseSchedule.RectifiedFlow(), Parameterization.Flow);
        var sigmas = pipeline.CreateSampler(4).Levels(pipeline.Schedule).Select(level => level.Sigma);
        Assert.Equal([1, 1 - (0.999 / 3), 1 - (2 * 0.999 / 3), 0.001, 0], sigmas, (one, other) => Math.Abs(one - other) < 1e-12);
    }

    [Fact]
    public void Save_Flow_WritesEveryKeyOfTheClassInOrder()
    {
        using var network = Network();
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.RectifiedFlow(500, 3), Parameterization.Flow))
        {
            pipeline.Save(_folder.File("p"));
        }

        var config = Json("scheduler/scheduler_config.json");
        Assert.Equal(config.Select(entry => entry.Key).Order(StringComparer.Ordinal), config.Select(entry => entry.Key));
        Assert.Equal(SchedulerKeys.Of("FlowMatchEulerDiscreteScheduler").Order(StringComparer.Ordinal), config.Select(entry => entry.Key).Where(key => !key.StartsWith('_')));
        Assert.Equal((500, 3, false), ((int)config["num_train_timesteps"]!, (double)config["shift"]!, (bool)config["use_dynamic_shifting"]!));
        Assert.Empty(DiffusersScheduler.Parse(config.ToJsonString()).UnusedKeys);
        var index = Json("model_index.json");
        Assert.Equal(("DDPMPipeline", "FlowMatchEulerDiscreteScheduler"), ((string)index["_class_name"]!, (string)index["scheduler"]![1]!));
        Assert.Null(index["_diffusion"]!["schedule"]); // its numbers are in scheduler_config.json to the bit
    }

    [Fact]
    public void From_FlowWithWhatTheClassDoesNotHave_IsNamed()
    {
        using var network = Network();
        var flow = NoiseSchedule.RectifiedFlow();
        foreach (var other in Parameterization.All.Where(each => each != Parameterization.Flow))
        {
            Refused($"the prediction '{other.Name}' for a rectified flow", () => DiffusersPipeline.From(network, flow, other));
        }

        Refused("the limit on images 'clip", () => DiffusersPipeline.From(network, flow, Parameterization.Flow, ImageLimit.Clip()));
        Refused("DdpmOptions: its steps are those of Euler's method, evenly in σ from pure noise to 1/T", () => DiffusersPipeline.From(network, NoiseSchedule.RectifiedFlow(1000), Parameterization.Flow, sampling: new()));
        Refused("DdpmOptions: its steps are those of Euler's method, evenly in σ from pure noise on, then shifted by 2.5", () => DiffusersPipeline.From(network, NoiseSchedule.RectifiedFlow(1000, 2.5), Parameterization.Flow, sampling: new()));
        DiffusersPipeline.From(network, flow, Parameterization.Flow, ImageLimit.None).Dispose();
        using var learns = Network(outChannels: 2);
        Refused("a network that learns a variance", () => DiffusersPipeline.From(learns, flow, Parameterization.Flow));
        Refused("num_train_timesteps", () => DiffusersPipeline.From(network, NoiseSchedule.RectifiedFlow(100_001), Parameterization.Flow));
    }

    public void Dispose() => _folder.Dispose();

    private static void Refused(string what, Func<DiffusersPipeline> make) => Assert.Contains(what, Assert.Throws<ArgumentException>(() => make().Dispose()).Message, StringComparison.Ordinal);

    private JsonObject Json(string file) => JsonNode.Parse(File.ReadAllText(_folder.File($"p/{file}")))!.AsObject();

    private static UNet Network(int? labels = null, int outChannels = 1) => DiffusersUNet.Parse(JsonSerializer.Serialize(new
    {
        _class_name = "UNet2DModel", in_channels = 1, out_channels = outChannels, sample_size = 8, block_out_channels = new[] { 8, 8 }, layers_per_block = 1,
        norm_num_groups = 4, down_block_types = new[] { "DownBlock2D", "DownBlock2D" }, up_block_types = new[] { "UpBlock2D", "UpBlock2D" }, num_class_embeds = labels, add_attention = false,
    })).Build(seed: 1);
}
