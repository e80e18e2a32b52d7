using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>The layouts of folders that diffusers, its training scripts and the Hub have, made from a recorded pipeline (huggingface/diffusers, commit 58eb52c).</summary>
public sealed class DiffusersLayoutTests : IDisposable
{
    private const string Weights = "diffusion_pytorch_model.safetensors";

    private readonly GoldenCase _golden = Golden.Case("diffusers_pipeline/ddpm_pipeline_16");
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<bool, bool> Layouts => new() { { true, true }, { true, false }, { false, true } };

    // Each component for itself: pipeline_loading_utils.py of diffusers takes the pipeline's folder where there is no folder of the component's name.
    [Theory]
    [MemberData(nameof(Layouts))]
    public void Load_ComponentsInTheRoot_DrawsTheSame(bool networkInRoot, bool schedulerInRoot)
    {
        Copy("scheduler/scheduler_config.json", schedulerInRoot ? "scheduler_config.json" : "scheduler/scheduler_config.json");
        Copy("unet/config.json", networkInRoot ? "config.json" : "unet/config.json");
        Copy($"unet/{Weights}", networkInRoot ? Weights : $"unet/{Weights}");
        Copy("model_index.json", "model_index.json");
        Same(_folder.File("p"));
    }

    [Fact]
    public void Load_FolderOfAComponentWithoutItsFile_IsNotLookedForInTheRoot()
    {
        Copy("model_index.json", "model_index.json");
        Copy("scheduler/scheduler_config.json", "scheduler_config.json");
        Copy("unet/config.json", "config.json");
        Directory.CreateDirectory(_folder.File("p/unet"));
        Assert.Contains("config.json", Assert.Throws<FileNotFoundException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RootWithAWrongScheduler_NamesTheFileInTheRoot()
    {
        CopyAll();
        Directory.Delete(_folder.File("p/scheduler"), recursive: true);
        _folder.Write("p/scheduler_config.json", "{\"_class_name\": 1}"u8.ToArray());
        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message;
        Assert.Contains("scheduler_config.json: its \"_class_name\" is 1", message, StringComparison.Ordinal);
        Assert.DoesNotContain($"scheduler{Path.DirectorySeparatorChar}scheduler_config.json", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"decay": 0.9999, "inv_gamma": 1.0, "min_decay": 0.0, "optimization_step": 5000, "power": 0.75, "update_after_step": 0, "use_ema_warmup": true}""")]
    [InlineData("""{"decay": null, "inv_gamma": "1", "min_decay": [], "optimization_step": -1, "power": {}, "update_after_step": false, "use_ema_warmup": 7}""")]
    public void Load_KeysOfAnAverage_AreReadOver(string keys)
    {
        CopyAll();
        Edit("p/unet/config.json", config =>
        {
            foreach (var (key, value) in JsonNode.Parse(keys)!.AsObject())
            {
                config[key] = value?.DeepClone();
            }
        });
        Same(_folder.File("p"));
        Edit("p/unet/config.json", config => config["decays"] = 1);
        Assert.Contains("does not know \"decays\" (1)", Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UNetLoad_NetworkAlone_IsThatNetwork()
    {
        using var scope = NewDisposeScope();
        CopyAll();
        using var pipeline = DiffusersPipeline.Load(_golden.File("pipeline"));
        using var alone = DiffusersUNet.Load(_folder.File("p/unet"));
        TensorAssert.Identical(Diffusion.Weights.Snapshot(pipeline.Network), Diffusion.Weights.Snapshot(alone));
        Assert.All(alone.modules(), module => Assert.False(module.training));
        Assert.Contains("no config.json", Assert.Throws<FileNotFoundException>(() => DiffusersUNet.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
        Edit("p/unet/config.json", config => config["norm_num_groups"] = 3);
        Assert.Contains(_folder.File("p/unet"), Assert.Throws<InvalidDataException>(() => DiffusersUNet.Load(_folder.File("p/unet"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FolderOfANetworkOrASchedulerAlone_SaysSo()
    {
        CopyAll();
        Assert.Contains("a network alone", Assert.Throws<FileNotFoundException>(() => DiffusersPipeline.Load(_folder.File("p/unet"))).Message, StringComparison.Ordinal);
        Assert.Contains("a scheduler alone", Assert.Throws<FileNotFoundException>(() => DiffusersPipeline.Load(_folder.File("p/scheduler"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_IndexWithPairsUnderKeysThatBeginWithAnUnderscore_DrawsTheSame()
    {
        CopyAll();
        Edit("p/model_index.json", index => index["_tags"] = new JsonArray("diffusers", "Autoencoder"));
        Same(_folder.File("p"));
    }

    [Fact]
    public void Load_Variant_IsReadWhereItIsAskedFor()
    {
        CopyAll();
        File.Move(_folder.File($"p/unet/{Weights}"), _folder.File("p/unet/diffusion_pytorch_model.fp16.safetensors"));
        Same(_folder.File("p"), "fp16");
        Assert.Throws<FileNotFoundException>(() => DiffusersPipeline.Load(_folder.File("p"), variant: "ema"));
        Assert.Throws<FileNotFoundException>(() => DiffusersPipeline.Load(_folder.File("p")));
        using var alone = DiffusersUNet.Load(_folder.File("p/unet"), "fp16");
    }

    [Theory]
    [InlineData("\"DDPMPipeline\"", "[\"pipeline\", \"Mine\"]", "whose code comes with it")]
    [InlineData("\"DDPMPipeline\"", "null", "\"_class_name\" is null")]
    [InlineData("\"UNet2DModel\"", "\"UNet2DModel\"], \"vae\": [\"diffusers\", \"AutoencoderKL\"", "needs vae")]
    public void Load_IndexOfAnotherPipeline_NamesWhy(string from, string to, string reason)
    {
        CopyAll();
        Replace("p/model_index.json", from, to);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ClassOfAnotherLibrary_IsNotTakenForThatOfDiffusers()
    {
        CopyAll();
        Edit("p/model_index.json", index => index["unet"] = new JsonArray("my_network", "UNet2DModel"));
        Assert.Contains("UNet2DModel of \"my_network\"", Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ComponentThatIsLeftOut_IsNotMissed()
    {
        CopyAll();
        Edit("p/model_index.json", index => index["safety_checker"] = new JsonArray(null, null));
        Same(_folder.File("p"));
    }

    // pipeline_ddim.py: "make sure scheduler can always be converted to DDIM"; pipeline_pndm.py likewise.
    [Theory]
    [InlineData("DDIMPipeline", "DDIMScheduler")]
    [InlineData("PNDMPipeline", "PNDMScheduler")]
    [InlineData("DDPMPipeline", "DDPMScheduler")]
    public void Load_PipelineWithASchedulerOfItsOwn_MakesThatOne(string pipeline, string scheduler)
    {
        CopyAll();
        Replace("p/model_index.json", "DDPMPipeline", pipeline);
        using var loaded = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal((pipeline, scheduler), (loaded.ClassName, loaded.Scheduler.ClassName));
    }

    public void Dispose()
    {
        _golden.Dispose();
        _folder.Dispose();
    }

    private void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File($"p/{to}"))!);
        File.Copy(_golden.File($"pipeline/{from}"), _folder.File($"p/{to}"));
    }

    private void CopyAll()
    {
        foreach (var file in new[] { "model_index.json", "scheduler/scheduler_config.json", "unet/config.json", $"unet/{Weights}" })
        {
            Copy(file, file);
        }
    }

    private void Edit(string file, Action<JsonObject> edit)
    {
        var json = JsonNode.Parse(File.ReadAllText(_folder.File(file)))!.AsObject();
        edit(json);
        File.WriteAllText(_folder.File(file), json.ToJsonString());
    }

    private void Replace(string file, string from, string to) =>
        File.WriteAllText(_folder.File(file), File.ReadAllText(_folder.File(file)).Replace(from, to, StringComparison.Ordinal));

    private void Same(string folder, string? variant = null)
    {
        using var scope = NewDisposeScope();
        using var expected = DiffusersPipeline.Load(_golden.File("pipeline"));
        using var actual = DiffusersPipeline.Load(folder, variant: variant);
        TensorAssert.Identical(Draw(expected), Draw(actual), "samples");
    }

    private static Tensor Draw(DiffusersPipeline pipeline) => pipeline.CreateSampler(2).Sample(pipeline.Denoiser, [1, 3, 16, 16], seed: 1);
}
