using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>What is handed over to diffusers is written whole or refused, and what is read back is not taken for something else.</summary>
public sealed class HandOverChecksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Schedules => ["linear 50000", "even 4000", "own"];

    /// <summary>Many small βs round far from the exact table in single precision.</summary>
    [Theory]
    [MemberData(nameof(Schedules))]
    public void Save_ALongSchedule_ReadsBackToTheBit(string name)
    {
        var schedule = name switch
        {
            "linear 50000" => NoiseSchedule.Linear(50_000),
            "even 4000" => NoiseSchedule.FromBetas(Enumerable.Repeat(2.67e-4, 4000)),
            _ => new Squares(5000),
        };
        using var network = Network();
        using (var pipeline = DiffusersPipeline.From(network, schedule, Parameterization.Velocity))
        {
            pipeline.Save(_folder.File("p"));
        }

        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal(schedule.Timesteps, read.Schedule.Timesteps);
        Assert.All(Enumerable.Range(0, schedule.Timesteps), t => Assert.Equal(schedule.LevelAt(t).Alpha, read.Schedule.LevelAt(t).Alpha, 1e-15));

        var file = _folder.File("p/scheduler/scheduler_config.json");
        var config = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        config["rescale_betas_zero_snr"] = true;
        File.WriteAllText(file, config.ToJsonString());
        Assert.Contains("was changed since", Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p")).Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void From_ScheduleThatSinglePrecisionEnds_SaysSo()
    {
        using var network = Network();
        var message = Assert.Throws<ArgumentException>(() => DiffusersPipeline.From(network, NoiseSchedule.Linear(1000, 1e-4, 0.25), Parameterization.Velocity).Dispose()).Message;
        Assert.Contains("single precision", message, StringComparison.Ordinal);
    }

    [Fact]
    public void From_OptionsThatAreNotWritten_AreRefusedByName()
    {
        using var network = Network();
        foreach (var (options, name) in new[] { (new DdpmOptions { StartsAtSigma = true }, nameof(DdpmOptions.StartsAtSigma)), (new DdpmOptions { NoiseAtEnd = true }, nameof(DdpmOptions.NoiseAtEnd)) })
        {
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => DiffusersPipeline.From(network, NoiseSchedule.Linear(), sampling: options).Dispose()).Message, StringComparison.Ordinal);
        }

        // A further option is to be written or refused, too.
        Assert.Equal(
            [nameof(DdpmOptions.NoiseAtEnd), nameof(DdpmOptions.Spacing), nameof(DdpmOptions.StartsAtSigma), nameof(DdpmOptions.Variance)],
            typeof(DdpmOptions).GetProperties(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic)
                .Select(property => property.Name).Where(name => name != "EqualityContract").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("value_range", "[0, 1]", "[-1, 1]")]
    [InlineData("value_range", "[-1, 1, 2]", "[-1, 1]")]
    [InlineData("value_range", "\"signed\"", "[-1, 1]")]
    [InlineData("channels", "77", "77, and the images of the network are 1×4×8")]
    [InlineData("height", "8", "8, and the images of the network are 1×4×8")]
    [InlineData("width", "4", "4, and the images of the network are 1×4×8")]
    [InlineData("width", "8.5", "a whole number above 0")]
    [InlineData("channels", "0", "a whole number above 0")]
    public void Load_NoteOfOtherImages_IsAnErrorThatNamesIt(string key, string value, string reason)
    {
        using var network = Network();
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear()))
        {
            pipeline.Save(_folder.File("p"));
        }

        DiffusersPipeline.Load(_folder.File("p")).Dispose();
        var file = _folder.File("p/model_index.json");
        var index = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        index["_diffusion"]!["images"]![key] = JsonNode.Parse(value);
        File.WriteAllText(file, index.ToJsonString());
        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p")).Dispose()).Message;
        Assert.Contains($"model_index.json: \"{key}\" in its \"_diffusion\"", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    /// <summary>Of a network that was built and disposed as many tensors are left as of one that was built for weights that do not fit.</summary>
    [Fact]
    public void From_WeightsThatDoNotFit_DisposesTheNetworkThatItBuilt()
    {
        using var network = Network();
        network.register_buffer("extra", zeros(1));
        void From() => Assert.Throws<ArgumentException>(() => DiffusersPipeline.From(network, NoiseSchedule.Linear()).Dispose());
        From();
        Assert.Equal(Left(() => DiffusersUNet.Of(network.Options).Build().Dispose()), Left(From));

        static long Left(Action work)
        {
            var before = LiveTensors.Settled();
            work();
            return Tensor.TotalCount - before;
        }
    }

    public void Dispose() => _folder.Dispose();

    private static UNet Network() => DiffusersUNet.Parse(
        """{"_class_name":"UNet2DModel","in_channels":1,"out_channels":1,"sample_size":[4,8],"block_out_channels":[8,8],"layers_per_block":1,"norm_num_groups":4,"down_block_types":["DownBlock2D","DownBlock2D"],"up_block_types":["UpBlock2D","UpBlock2D"],"add_attention":false}""")
        .Build(seed: 1);

    /// <summary>ᾱ = 0.99·(1 − t/T)², by no formula of diffusers.</summary>
    private sealed class Squares(int timesteps) : INoiseSchedule
    {
        public int Timesteps => timesteps;

        public NoiseLevel LevelAt(int timestep)
        {
            var alphaBar = 0.99 * Math.Pow(1 - ((double)timestep / timesteps), 2);
            return new NoiseLevel(Math.Sqrt(alphaBar), Math.Sqrt(1 - alphaBar), timestep);
        }
    }
}
