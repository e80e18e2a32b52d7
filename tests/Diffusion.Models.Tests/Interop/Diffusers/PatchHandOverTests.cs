using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Networks on patches as folders of diffusers: there the network within, and a note of the patches.</summary>
public sealed class PatchHandOverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(1, 8, 12, 2, null)]
    [InlineData(3, 8, 8, 2, null)]
    [InlineData(1, 12, 12, 3, null)]
    [InlineData(2, 16, 8, 4, null)]
    [InlineData(1, 8, 8, 2, 2)]
    public void Save_Patches_ReadsBackToTheSameSamples(int channels, int height, int width, int patch, int? outChannels)
    {
        using var scope = NewDisposeScope();
        using var network = Network(new(channels, height, width), patch, outChannels);
        var schedule = NoiseSchedule.Cosine();
        Save(network, Parameterization.Velocity);

        var config = Json("unet/config.json");
        var pixels = patch * patch;
        Assert.Equal((channels * pixels, (outChannels ?? channels) * pixels), ((int)config["in_channels"]!, (int)config["out_channels"]!));
        var size = config["sample_size"]!;
        Assert.Equal((height / patch, width / patch), size is JsonArray sides ? ((int)sides[0]!, (int)sides[1]!) : ((int)size, (int)size));
        Assert.Equal(patch, (int)Json("model_index.json")["_diffusion"]!["patch_size"]!);
        using var read = DiffusersPipeline.Load(_folder.File("p"));
        var options = ((UNet)read.Network).Options;
        Assert.Equal((patch, network.Options.Image), (options.Dialect.PatchSize, options.Image));
        Assert.Equal(patch, DiffusersFolder.Read(_folder.File("p")).PatchSize);
        var denoiser = new NetworkDenoiser(network, schedule, Parameterization.Velocity).Limited(ImageLimit.Clip());
        var sampler = new DdpmSampler(4, new() { Variance = outChannels is null ? ReverseVariance.FixedSmall : ReverseVariance.LearnedRange });
        var shape = network.Options.Image.Batch(2);
        TensorAssert.Identical(sampler.Sample(denoiser, shape, seed: 3), read.CreateSampler(4).Sample(read.Denoiser, shape, seed: 3), "samples");
        read.Save(_folder.File("again"));
        Assert.Equal(File.ReadAllText(_folder.File("p/model_index.json")), File.ReadAllText(_folder.File("again/model_index.json")));
    }

    /// <summary>What Python sees: the network of unet/config.json alone, on the pixels of a patch as channels.</summary>
    [Fact]
    public void Save_Patches_IsTheNetworkWithin()
    {
        using var scope = NewDisposeScope();
        using var network = Network(new(2, 8, 12), 2, outChannels: 4);
        Save(network);
        using var within = DiffusersUNet.Load(_folder.File("p/unet"));
        Assert.Equal((new ImageShape(8, 4, 6), 1, 16), (within.Options.Image, within.Options.Dialect.PatchSize, within.Options.Dialect.OutChannels!.Value));
        var images = rand(2, 2, 8, 12, ScalarType.Float32, generator: new Generator(3));
        var time = tensor([7L]);
        TensorAssert.Identical(network.call(images, time), nn.functional.pixel_shuffle(within.call(nn.functional.pixel_unshuffle(images, 2), time), 2), "prediction");
    }

    [Fact]
    public void Save_RectifiedFlowOfATrainer_HasPatches()
    {
        using var scope = NewDisposeScope();
        using var network = Network(new(1, 8, 8), 2);
        using var trainer = new Trainer(network, NoiseSchedule.RectifiedFlow(), new() { Steps = 2, BatchSize = 2 }, Parameterization.Flow);
        using var images = new MemoryImages(4);
        foreach (var _ in trainer.Steps(images))
        {
        }

        using (var pipeline = DiffusersPipeline.FromTrainer(trainer))
        {
            pipeline.Save(_folder.File("p"));
        }

        using var read = DiffusersPipeline.Load(_folder.File("p"));
        TensorAssert.Identical(new EulerSampler(3).Sample(trainer.Ema, [2, 1, 8, 8], seed: 1), new EulerSampler(3).Sample(read.Denoiser, [2, 1, 8, 8], seed: 1), "samples");
    }

    [Fact]
    public void Load_NoNote_IsTheNetworkWithin()
    {
        using var network = Network(new(1, 8, 8), 2);
        Save(network);
        var index = Json("model_index.json");
        index.Remove("_diffusion");
        File.WriteAllText(_folder.File("p/model_index.json"), index.ToJsonString());
        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal((new ImageShape(4, 4, 4), 1), (((UNet)read.Network).Options.Image, ((UNet)read.Network).Options.Dialect.PatchSize));
        Assert.Equal(1, DiffusersFolder.Read(_folder.File("p")).PatchSize);
    }

    [Fact]
    public void Save_NoPatches_NotesNone()
    {
        using var network = Network(new(1, 8, 8), 1);
        Save(network);
        Assert.False(Json("model_index.json")["_diffusion"]!.AsObject().ContainsKey("patch_size"));
    }

    [Theory]
    [InlineData("0", "a whole number above 0; it is 0")]
    [InlineData("-2", "a whole number above 0; it is -2")]
    [InlineData("1.5", "a whole number above 0; it is 1.5")]
    [InlineData("\"2\"", "a whole number above 0; it is \"2\"")]
    [InlineData("null", "a whole number above 0; it is null")]
    [InlineData("[2]", "a whole number above 0; it is [2]")]
    [InlineData("3000000000", "a whole number above 0; it is 3000000000")]
    [InlineData("3", "divides the channels of the network, 4 in and 8 out, and with which no side of an image has more than 2147483647 pixels; it is 3")]
    [InlineData("2147483647", "4 in and 8 out, and with which no side of an image has more than 2147483647 pixels; it is 2147483647")]
    public void Load_WrongPatchSize_NamesFileKeyGivenAndNeeded(string value, string reason)
    {
        using var network = Network(new(1, 8, 8), 2, outChannels: 2);
        Save(network);
        Note(value, others: false);
        Refused($"model_index.json: \"patch_size\" in its \"_diffusion\" must be ", reason);
    }

    [Fact]
    public void Load_PatchesOfOtherImages_IsAnError()
    {
        using var network = Network(new(1, 8, 8), 2);
        Save(network);
        Note("1", others: true);
        Refused("model_index.json: \"channels\" in its \"_diffusion\" is 1, and the images of the network are 4×4×4", "");
    }

    [Fact]
    public void Of_Patches_AreRefusedByName()
    {
        using var network = Network(new(1, 8, 8), 2);
        var message = Assert.Throws<ArgumentException>(() => DiffusersUNet.Of(network.Options)).Message;
        Assert.Contains("PatchSize is 2", message, StringComparison.Ordinal);
        Assert.Contains(nameof(DiffusersPipeline), message, StringComparison.Ordinal);
    }

    [Fact]
    public void From_PatchesAndExtraChannels_CountsThoseOfTheImage()
    {
        using var network = Network(new(1, 8, 8), 2, extraChannels: 1);
        var message = Assert.Throws<ArgumentException>(() => DiffusersPipeline.From(network, NoiseSchedule.Linear()).Dispose()).Message;
        Assert.Contains("1 channels beside the 1 of the image", message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void Save(UNet network, Parameterization? prediction = null)
    {
        using var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Cosine(), prediction);
        pipeline.Save(_folder.File("p"));
    }

    private void Note(string patchSize, bool others)
    {
        var index = Json("model_index.json");
        var note = others ? index["_diffusion"]!.AsObject() : [];
        note["patch_size"] = JsonNode.Parse(patchSize);
        if (!others)
        {
            index["_diffusion"] = note;
        }

        File.WriteAllText(_folder.File("p/model_index.json"), index.ToJsonString());
    }

    private void Refused(params string[] texts)
    {
        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p")).Dispose()).Message;
        Assert.All([_folder.File("p"), .. texts], text => Assert.Contains(text, message, StringComparison.Ordinal));
    }

    private JsonObject Json(string file) => JsonNode.Parse(File.ReadAllText(_folder.File($"p/{file}")))!.AsObject();

    private static UNet Network(ImageShape image, int patch, int? outChannels = null, int extraChannels = 0)
    {
        var options = UNetPresets.Diffusers(image) with
        {
            StemChannels = 8,
            Down = [new() { Channels = 8, Layers = 1, Downsample = true }, new() { Channels = 8, Layers = 1, Attention = true, Downsample = false }],
            Mid = [new() { Channels = 8, Attention = false }],
            Up = [],
            TimeDimension = 32,
            NormGroups = 4,
        };
        var dialect = options.Dialect;
        return UNetBuilder.From(options with { Dialect = dialect with { PatchSize = patch, Time = dialect.Time with { Width = 8 }, OutChannels = outChannels, ExtraChannels = extraChannels } }).Build(seed: 1);
    }
}
