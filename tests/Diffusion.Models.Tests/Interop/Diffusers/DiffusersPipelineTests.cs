using System.Text.Json.Nodes;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Recorded pipelines of diffusers (huggingface/diffusers, commit 58eb52c), with a network that replays the recorded outputs.</summary>
public sealed class DiffusersPipelineTests : IDisposable
{
    private const string Ddpm = "diffusers_pipeline/ddpm_pipeline_16";
    private const string Ddim = "diffusers_pipeline/ddim_pipeline_16";
    private const int Steps = 10;

    private static readonly string[] s_texts = ["model_index.json", "scheduler/scheduler_config.json", "unet/config.json"];

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(Ddpm, "DDPMPipeline", 0)]
    [InlineData(Ddim, "DDIMPipeline", 0.4)]
    public void Sample_RecordedPipeline_MakesTheSameLatentsAndImages(string name, string className, double eta)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        using var pipeline = Load(golden);
        using var noise = new ReplayNoise(golden["noise"].narrow(0, 1, golden["noise"].shape[0] - 1));
        void Close(Tensor expected, Tensor actual, string what) => TensorAssert.Close(expected, actual, golden.AbsoluteTolerance, golden.RelativeTolerance, what);
        var step = 0;

        using var result = pipeline.CreateSampler(Steps, eta)
            .Continue(pipeline.Denoiser, golden["noise"][0], noise, onStep: after => Close(golden["latents"][step], after.Noisy, $"latents {step++}"));

        Assert.Equal(className, pipeline.ClassName);
        Assert.Equal(Steps, step);
        var network = (StandInNetwork)pipeline.Network;
        Assert.Equal(golden["timesteps"].data<long>().ToArray(), network.Timesteps);
        Close(golden["noise"][0], network.Inputs[0], "first input");
        Close(golden["latents"][Steps - 2], network.Inputs[^1], "last input");
        Close(golden["images"], ((result / 2) + 0.5).clamp(0, 1).permute(0, 2, 3, 1), "images");
        network.Inputs.ForEach(input => input.Dispose());
    }

    /// <summary>The whole way: folder, network, scheduler, sampler, images.</summary>
    [Theory]
    [InlineData(Ddpm, 0)]
    [InlineData(Ddim, 0.4)]
    public void Load_RecordedFolder_DrawsTheRecordedImagesAndSavesTheSameFolder(string name, double eta)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        using var pipeline = DiffusersPipeline.Load(golden.File("pipeline"));
        Assert.All(pipeline.Network.modules(), module => Assert.False(module.training));
        using var noise = new ReplayNoise(golden["noise"].narrow(0, 1, golden["noise"].shape[0] - 1));
        var step = 0;

        using var result = pipeline.CreateSampler(Steps, eta).Continue(
            pipeline.Denoiser, golden["noise"][0], noise,
            onStep: after => TensorAssert.Close(golden["latents"][step], after.Noisy, golden.AbsoluteTolerance, golden.RelativeTolerance, $"latents {step++}"));

        TensorAssert.Close(golden["images"], ((result / 2) + 0.5).clamp(0, 1).permute(0, 2, 3, 1), golden.AbsoluteTolerance, golden.RelativeTolerance, "images");
        pipeline.Save(_folder.File("saved"));
        foreach (var file in s_texts)
        {
            Assert.Equal(File.ReadAllBytes(golden.File("pipeline/" + file)), File.ReadAllBytes(Path.Combine(_folder.File("saved"), file)));
        }

        using var expected = WeightFiles.Open(golden.File("pipeline"));
        using var saved = WeightFiles.Open(_folder.File("saved"));
        using var before = expected.Load();
        using var after = saved.Load();
        TensorAssert.Identical(before, after);
    }

    [Theory]
    [InlineData(Ddpm)]
    [InlineData(Ddim)]
    public void Save_LoadedPipeline_WritesTheSameTextsNamesShapesAndBits(string name)
    {
        using var golden = Golden.Case(name);
        using (var pipeline = Load(golden))
        {
            pipeline.Save(_folder.File("saved"));
        }

        foreach (var file in s_texts)
        {
            Assert.Equal(File.ReadAllBytes(golden.File("pipeline/" + file)), File.ReadAllBytes(Path.Combine(_folder.File("saved"), file)));
        }

        using var expected = WeightFiles.Open(golden.File("pipeline"));
        using var saved = WeightFiles.Open(_folder.File("saved"));
        Assert.Equal("diffusion_pytorch_model.safetensors", Path.GetFileName(saved.Path));
        Assert.Equal(expected.Metadata, saved.Metadata);
        using var before = expected.Load();
        using var after = saved.Load();
        TensorAssert.Identical(before, after);
        using var again = DiffusersPipeline.Load(_folder.File("saved"), _ => StandInNetwork.Build(_folder.File("saved"), golden["model_outputs"]));
        using var weights = Weights.Snapshot(again.Network);
        TensorAssert.Identical(before, weights);
    }

    [Fact]
    public void Save_FolderThatHoldsSomething_IsRefusedAndLeftAlone()
    {
        using var golden = Golden.Case(Ddpm);
        using var pipeline = Load(golden);
        Directory.CreateDirectory(_folder.File("mine"));
        _folder.Write("mine/a.txt", [1]);
        Assert.Contains("mine", Assert.Throws<IOException>(() => pipeline.Save(_folder.File("mine"))).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => pipeline.Save(_folder.File("mine/a.txt")));
        Assert.Equal([_folder.File("mine")], Directory.GetFileSystemEntries(_folder.File(".")).Select(Path.GetFullPath));
        Directory.CreateDirectory(_folder.File("empty"));
        pipeline.Save(_folder.File("empty"));
        Assert.True(File.Exists(_folder.File("empty/model_index.json")));
    }

    [Fact]
    public void Write_WeightsThatCannotBeWritten_LeavesNothing()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(Ddpm);
        var folder = DiffusersFolder.Read(golden.File("pipeline"));
        Assert.Throws<ArgumentException>(() => folder.Write(_folder.File("half"), [KeyValuePair.Create("a", zeros(1)), KeyValuePair.Create("a", zeros(1))]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.File(".")));
    }

    [Fact]
    public void Write_FolderThatIsFilledMeanwhile_LeavesIt()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(Ddpm);
        Directory.CreateDirectory(_folder.File("filled"));
        IEnumerable<KeyValuePair<string, Tensor>> WhileAnotherWritesThere()
        {
            _folder.Write("filled/theirs.txt", [1]);
            yield return KeyValuePair.Create("a", zeros(1));
        }

        Assert.Contains("exists and is not empty", Assert.Throws<IOException>(() => DiffusersFolder.Read(golden.File("pipeline")).Write(_folder.File("filled"), WhileAnotherWritesThere())).Message, StringComparison.Ordinal);
        Assert.Equal(["theirs.txt"], Directory.GetFileSystemEntries(_folder.File("filled")).Select(Path.GetFileName));
        Assert.Single(Directory.GetFileSystemEntries(_folder.File(".")));
    }

    [Fact]
    public void Load_WeightsOfAnotherNetwork_ListsThem()
    {
        using var golden = Golden.Case(Ddpm);
        Copy(golden);
        File.Delete(_folder.File("p/unet/diffusion_pytorch_model.safetensors"));
        using (var one = zeros(1))
        {
            Safetensors.Save(_folder.File("p/unet/diffusion_pytorch_model.safetensors"), [KeyValuePair.Create("conv_in.weight", one), KeyValuePair.Create("other", one)]);
        }

        var error = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"), _ => StandInNetwork.Build(golden.File("pipeline"), golden["model_outputs"])));
        Assert.All(
            new[] { "missing: 'conv_in.bias'", "mismatched: 'conv_in.weight'", "unexpected: 'other'", "diffusion_pytorch_model.safetensors" },
            text => Assert.Contains(text, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("unet/config.json", "UNet2DModel", "Nothing2D", "\"Nothing2D\" is not known")]
    [InlineData("unet/config.json", "_class_name", "class", "unet/config.json: it is no JSON object with the text \"_class_name\"")]
    [InlineData("unet/config.json", "{", "", "unet/config.json: it is not valid JSON")]
    [InlineData("scheduler/scheduler_config.json", "epsilon", "other", "\"prediction_type\" is \"other\"")]
    [InlineData("scheduler/scheduler_config.json", "_class_name", "class", "scheduler/scheduler_config.json: DDPMScheduler: no scheduler class of diffusers has \"class\"")]
    [InlineData("scheduler/scheduler_config.json", "{", "[{", "scheduler/scheduler_config.json: it is no")]
    [InlineData("scheduler/scheduler_config.json", "\"DDPMScheduler\"", "null", "scheduler/scheduler_config.json: its \"_class_name\" is null")]
    [InlineData("model_index.json", "\"scheduler\"", "\"planner\"", "also needs planner")]
    [InlineData("model_index.json", "\"unet\"", "\"unet\": [null, null], \"x\"", "also needs x")]
    [InlineData("model_index.json", "\"DDPMScheduler\"", "null", "no component \"scheduler\"")]
    [InlineData("model_index.json", "DDPMScheduler", "NoScheduler", "\"NoScheduler\" is not known")]
    [InlineData("model_index.json", "unet", "scheduler", "uplicate")]
    public void Load_FolderThatIsNotOne_NamesTheFolderAndTheReason(string file, string from, string to, string reason)
    {
        using var golden = Golden.Case(Ddpm);
        Copy(golden);
        var path = Path.Combine(_folder.File("p"), file);
        File.WriteAllText(path, File.ReadAllText(path).Replace(from, to, StringComparison.Ordinal));
        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p")).Dispose()).Message.Replace('\\', '/');
        Assert.Contains(_folder.File("p").Replace('\\', '/'), message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        using var golden = Golden.Case(Ddpm);
        Copy(golden);
        File.Delete(_folder.File("p/unet/config.json"));
        Assert.Contains("config.json", Assert.Throws<FileNotFoundException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateScheduler_OtherClassInTheIndex_IsThatClass()
    {
        using var golden = Golden.Case(Ddpm);
        var read = DiffusersFolder.Read(golden.File("pipeline"));
        var folder = new DiffusersFolder(read.ModelIndex.Replace("DDPMScheduler", "DDIMScheduler", StringComparison.Ordinal), read.SchedulerConfig, read.NetworkConfig);
        Assert.Equal("DDIMScheduler", folder.CreateScheduler().ClassName);
        Assert.Equal(("DDPMPipeline", "UNet2DModel"), (folder.PipelineClass, folder.NetworkClass));
    }

    /// <summary>The class of the scheduler is that of model_index.json; what begins with an underscore there is a note.</summary>
    [Fact]
    public void CreateScheduler_WithoutAClassAndWithNotes_IsThatOfTheIndex()
    {
        using var golden = Golden.Case(Ddpm);
        var read = DiffusersFolder.Read(golden.File("pipeline"));
        var scheduler = JsonNode.Parse(read.SchedulerConfig)!.AsObject();
        scheduler.Remove("_class_name");
        var index = JsonNode.Parse(read.ModelIndex)!.AsObject();
        index["_tags"] = new JsonArray("a", "b");
        var folder = new DiffusersFolder(index.ToJsonString(), scheduler.ToJsonString(), read.NetworkConfig);
        Assert.Equal("DDPMScheduler", folder.CreateScheduler().ClassName);
        Assert.Contains("_class_name", Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(scheduler.ToJsonString())).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static DiffusersPipeline Load(GoldenCase golden) =>
        DiffusersPipeline.Load(golden.File("pipeline"), _ => StandInNetwork.Build(golden.File("pipeline"), golden["model_outputs"]));

    private void Copy(GoldenCase golden)
    {
        foreach (var file in s_texts.Append("unet/diffusion_pytorch_model.safetensors"))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder.File("p"), file))!);
            File.Copy(golden.File("pipeline/" + file), Path.Combine(_folder.File("p"), file));
        }
    }
}
