using Diffusion.Configuration;

namespace Diffusion.Sample.Tests;

/// <summary>Models to pass on: folders that convert makes of runs, and every command takes.</summary>
public sealed class ModelCommandTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Convert_Run_IsAModelThatDrawsTheSameAndSaysNothingOfTheMachine()
    {
        Train("out", "\"steps\": 3");
        Says(Done("convert", "--from", "out", "--to", "digits"), "model.safetensors", "ema.safetensors", "README.md");
        Assert.Equal(["README.md", "config.json", "model.safetensors"], Directory.GetFileSystemEntries(_app.At("digits")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(Draw("out"), Draw("digits"));
        Assert.Equal(Draw("out"), Draw("digits/model.safetensors"));
        Done("convert", "--from", "digits", "--to", "copy");
        Assert.Equal(File.ReadAllBytes(_app.At("digits/model.safetensors")), File.ReadAllBytes(_app.At("copy/model.safetensors")));

        var header = Safetensors.ReadMetadata(_app.At("digits/model.safetensors"));
        Assert.Equal(["diffusion.config", "format"], header.Keys.Order(StringComparer.Ordinal));
        string[] texts = [header["diffusion.config"], File.ReadAllText(_app.At("digits/config.json")), File.ReadAllText(_app.At("digits/README.md"))];
        Assert.Equal(texts[0], texts[1]);
        Assert.All(texts, text =>
        {
            Assert.DoesNotContain(Path.GetFileName(_app.At("").TrimEnd('/', '\\')), text, StringComparison.Ordinal);
            Assert.DoesNotContain("samples", text, StringComparison.Ordinal); // the folder of the images, of which the name alone is kept
        });
        Assert.Equal("mnist", RunConfiguration.Parse(texts[1]).Data.Path);
        foreach (var fact in new[] { "# digits", "1×28×28", "10 classes: 0, 1, 2", "3 steps of 4 images, seed 0", "sampler ddpm, 3 steps", "--label 0" })
        {
            Assert.Contains(fact, texts[2], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Convert_CheckpointToHalfPrecision_TakesHalfOfTheBytes()
    {
        Train("out", "\"steps\": 4", "--stop-after", "2");
        Done("convert", "--from", "out", "--to", "half", "--type", "Float16");
        Done("convert", "--from", "out", "--to", "whole.safetensors");
        Done("convert", "--from", "half", "--to", "again.safetensors", "--type", "float32");
        using var half = Safetensors.Load(_app.At("half/model.safetensors"));
        using var whole = Safetensors.Load(_app.At("whole.safetensors"));
        using var again = Safetensors.Load(_app.At("again.safetensors"));
        Assert.All(half, item => Assert.True(item.Value.dtype == TorchSharp.torch.ScalarType.Float16 && item.Value.to_type(TorchSharp.torch.ScalarType.Float32).equal(again[item.Key]).all().item<bool>(), item.Key));
        Assert.All(whole, item => Assert.True(item.Value.allclose(again[item.Key], 1e-3, 1e-6), item.Key));
        Assert.Contains("2 of 4 steps", File.ReadAllText(_app.At("half/README.md")), StringComparison.Ordinal);
        Says(Done("info", "half"), "of Float16", "sampler ddpm, 3 steps", "class \"7\"");
        Done("sample", "--checkpoint", "half", "--label", "7", "--count", "1");
    }

    /// <summary>The images of a run below the folder of the work: the model finds them again.</summary>
    [Fact]
    public void Commands_ModelWithItsImages_FindThemFromItsFolder()
    {
        Train("first", "\"steps\": 1");
        Directory.CreateDirectory(_app.At("data/photos"));
        Done("sample", "--checkpoint", "first", "--count", "1", "--steps", "1");
        File.Copy(_app.At("out/digits.png"), _app.At("data/photos/a.png"));
        File.WriteAllText(_app.At("own.json"), $$"""{ "data": { "kind": "folder", "path": "data/photos" }, {{SampleProcess.Model}}, "training": { "steps": 1, "batchSize": 1 }, "sampling": { "count": 1, "steps": 8 } }""");
        Done("train", "--config", "own.json", "--out", "second");
        Done("convert", "--from", "second", "--to", "models/mine");
        Assert.Equal("../../data/photos", RunConfiguration.Parse(File.ReadAllText(_app.At("models/mine/config.json"))).Data.Path);
        foreach (var checkpoint in new[] { "models/mine", "models/mine/model.safetensors" })
        {
            foreach (var command in new[] { "img2img --count 1", "inpaint --count 1 --hole left --resamples 1", "reconstruct --count 1", "interpolate --seeds 1 2 --count 1 --points 2" })
            {
                Done([.. command.Split(' '), "--checkpoint", checkpoint]);
            }
        }

        Says(Done("train", "--from", "models/mine", "--steps", "2", "--stop-after", "1", "--out", "third"), "The weights begin as those of", "1 images");
        Done("train", "--resume", "--out", "third");
    }

    [Fact]
    public void Commands_ConfigurationBesideTheWeights_CountsWhereTheNetworkStaysTheSame()
    {
        Train("out", "\"steps\": 1");
        Done("convert", "--from", "out", "--to", "digits");
        Edit("\"steps\": 3,\n    \"clip\"", "\"steps\": 2,\n    \"clip\"");
        Says(Done("sample", "--checkpoint", "digits", "--count", "1"), "2 steps");
        Says(Done("info", "digits"), "sampler ddpm, 2 steps");
        Says(Done("sample", "--checkpoint", "digits/model.safetensors", "--count", "1"), "3 steps"); // the file alone: as its header says
        Done("convert", "--from", "digits", "--to", "taken.safetensors");
        Says(Done("sample", "--checkpoint", "taken.safetensors", "--count", "1"), "2 steps");
        Edit("\"schedule\": \"linear\"", "\"schedule\": \"cosine\"");
        Failed(1, ["sample", "--checkpoint", "digits"], "config.json", "has another diffusion than the header of");
        Edit("\"schedule\": \"cosine\"", "\"schedul\": \"cosine\"");
        Failed(2, ["sample", "--checkpoint", "digits"], "config.json", "diffusion.schedul is not an option");
        File.Delete(_app.At("digits/config.json"));
        Says(Done("sample", "--checkpoint", "digits", "--count", "1"), "3 steps");

        void Edit(string before, string after)
        {
            var text = File.ReadAllText(_app.At("digits/config.json"));
            Assert.Contains(before, text, StringComparison.Ordinal);
            File.WriteAllText(_app.At("digits/config.json"), text.Replace(before, after, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Convert_WhatCannotBeAModel_IsNamedAndLeavesNothing()
    {
        Train("out", "\"steps\": 1");
        Directory.CreateDirectory(_app.At("mine"));
        File.WriteAllText(_app.At("mine/notes.txt"), "mine");
        Failed(1, ["convert", "--from", "out", "--to", "mine"], "mine' exists and is not empty; a model is written to a folder of its own");
        Assert.Equal(["notes.txt"], Directory.GetFileSystemEntries(_app.At("mine")).Select(Path.GetFileName));
        Failed(2, ["convert", "--from", "mine", "--to", "model"], "a folder is for a run of this app, and 'mine' is none");
        Failed(2, ["convert", "--from", "out", "--to", "model", "--type", "float8"], "--type must be one of float32, float16, bfloat16; it is 'float8'");
        Failed(2, ["convert", "--from", "out", "--to", "model", "--prefix", "a"], "--prefix has no use here: a model's folder is written of a run");
        Failed(2, ["convert", "--from", "out", "--to", "model", "--dialect", "diffusers", "--type", "float16"], "--type has no use here");
        using (var weights = Safetensors.Load(_app.At("out/ema.safetensors")))
        {
            weights["conv_in.bias"].fill_(1e6);
            Safetensors.Save(_app.At("large.safetensors"), weights, Safetensors.ReadMetadata(_app.At("out/ema.safetensors")));
        }

        Failed(1, ["convert", "--from", "large.safetensors", "--to", "model", "--type", "float16"], "tensor 'conv_in.bias' of 'large.safetensors' has numbers that are too large");
        Done("convert", "--from", "large.safetensors", "--to", "wide", "--type", "bfloat16");
        Assert.False(Path.Exists(_app.At("model")));
    }

    /// <summary>Weights that are not averaged are no model, wherever a run has left them; a user who wants them names the file.</summary>
    [Fact]
    public void Commands_RunWithoutAveragedWeights_IsRefusedByName()
    {
        Train("out", "\"steps\": 2", "--stop-after", "1");
        var checkpoint = Path.GetFileName(Directory.GetDirectories(_app.At("out/checkpoints")).Single());
        Done("train", "--resume", "--out", "out");
        Done("convert", "--from", "out", "--to", "model");
        File.Copy(_app.At("out/losses.csv"), _app.At("model/losses.csv")); // whoever passes a model on may add what they like
        Done("sample", "--checkpoint", "model", "--count", "1");
        Directory.Move(_app.At("out/checkpoints"), _app.At("apart"));
        Refused("out", ["sample", "--checkpoint"], ["info"], ["convert", "--to", "new", "--from"], ["convert", "--to", "new.safetensors", "--from"], ["convert", "--to", "new", "--dialect", "diffusers", "--from"], ["train", "--out", "new", "--from"]);
        Refused($"apart/{checkpoint}", ["sample", "--checkpoint"], ["convert", "--to", "new.safetensors", "--from"]);
        Done("sample", "--checkpoint", "out/model.safetensors", "--count", "1");
        Assert.Empty(Directory.GetFileSystemEntries(_app.At("."), "new*"));

        void Refused(string folder, params string[][] commands)
        {
            File.Delete(_app.At($"{folder}/ema.safetensors"));
            foreach (var command in commands)
            {
                Failed(2, [.. command, folder], $"'{folder}' is the folder of a run, or of one of its checkpoints, without its averaged weights, ema.safetensors", "model.safetensors there has those that are not averaged");
            }
        }
    }

    [Fact]
    public void Commands_WithoutACheckpoint_SayWhichThereAre() =>
        Assert.All(["sample", "img2img", "inpaint", "interpolate", "reconstruct"], command => Failed(2, [command], "--checkpoint is needed", "samples/models/mnist"));

    public void Dispose() => _app.Dispose();

    private void Train(string folder, string training, params string[] options)
    {
        var labelled = SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), """, "dialect": { "labels": { "classes": 11 } } """);
        Done(["train", "--config", _app.Configure(training, labelled), "--out", folder, .. options]);
    }

    private byte[] Draw(string checkpoint)
    {
        Done("sample", "--checkpoint", checkpoint, "--count", "2", "--out", "drawn", "--raw");
        return File.ReadAllBytes(_app.At("drawn/samples.safetensors"));
    }

    private (int ExitCode, string Output, string Error) Done(params string[] arguments)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return run;
    }

    private void Failed(int exitCode, string[] arguments, params string[] texts)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == exitCode, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Says(run, texts);
    }

    private static void Says((int ExitCode, string Output, string Error) run, params string[] texts) =>
        Assert.All(texts, text => Assert.Contains(Unbroken(text), Unbroken(run.Output + run.Error), StringComparison.Ordinal));

    private static string Unbroken(string text) => string.Concat(text.Where(sign => !char.IsWhiteSpace(sign) && sign != '│'));
}
