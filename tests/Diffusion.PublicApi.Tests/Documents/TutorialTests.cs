using System.Text.RegularExpressions;
using Diffusion.Imaging;
using Diffusion.Models;

namespace Diffusion.PublicApi.Tests;

/// <summary>The programs of docs/tutorials, run as they stand there but for smaller numbers.</summary>
[Collection(RunsAlone.Name)]
public sealed partial class TutorialTests : IDisposable
{
    private static readonly string Repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void OwnPictures_EveryProgram_Runs()
    {
        var output = DocumentPrograms.Read("tutorials/your-own-pictures.md").With(
            ("(\"pictures\", 1000, 1), (\"kept\", 200, 2)", "(\"pictures\", 40, 1), (\"kept\", 20, 2)"),
            ("Steps = 1000, BatchSize = 16", "Steps = 3, BatchSize = 4"),
            (".Down(16, layers: 1).Down(32, layers: 1).Down(64, layers: 1, attention: true).Mid(64)", ".Down(8, layers: 1).Down(8, layers: 1, attention: true)"),
            ("shape: [100, 3, 32, 32]", "shape: [20, 3, 32, 32]"),
            ("i < 100", "i < 20"),
            ("steps: 20", "steps: 3"),
            ("Epochs = 12", "Epochs = 8")).Run(_folder.Path);

        Assert.Equal(4, output.Count);
        Assert.Contains("box, disc", output[2], StringComparison.Ordinal);
        Assert.Contains("labelAccuracy", output[3], StringComparison.Ordinal);
        Assert.Contains("recall", output[3], StringComparison.Ordinal);
        Assert.Contains("nearestPixels", output[3], StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("out/ema.safetensors")));
        Assert.Equal(20, Directory.GetFiles(_folder.File("drawn/disc")).Length);
        Pictures("your-own-pictures.md", 1);
    }

    [Fact]
    public void Course_EveryStep_Runs()
    {
        var output = Assert.Single(DocumentPrograms.Read("tutorials/course.md").With(
            ("\"samples/", $"@\"{Path.Combine(Repository, "samples")}/"),
            ("Steps = 1000, BatchSize = 16", "Steps = 10, BatchSize = 2"),
            (".Down(16, layers: 1).Down(64, layers: 1).Down(128, layers: 1, attention: true)", ".Down(8, layers: 1).Down(8, layers: 1, attention: true)"),
            ("shape: [20, 1, 28, 28]", "shape: [2, 1, 28, 28]"),
            ("new DdpmSampler().Sample(trainer.Ema", "new DdpmSampler(20).Sample(trainer.Ema"),
            ("[8, 1, 28, 28]", "[2, 1, 28, 28]"),
            ("full([8], t", "full([2], t")).Run(_folder.Path));

        Assert.Contains("ᾱ by hand 4.0358E-005, of the schedule 4.0358E-005", output, StringComparison.Ordinal);
        Assert.InRange(double.Parse(LossBefore().Match(output).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), 0.95, 1.05);
        var (apart, largest) = (Number(ByHand().Match(output).Groups[1]), Number(ByHand().Match(output).Groups[2]));
        Assert.InRange(apart, 0, 1e-3 * largest); // the loop of the page is the sampler
        Pictures("course.md", 3);
    }

    [Fact]
    public void Diffusers_ThereAndBack_DrawsTheSameBits()
    {
        var pipeline = Path.Combine(Golden.Folder, "diffusers_pipeline", "ddpm_pipeline_16", "pipeline");
        for (var i = 0; i < 4; i++)
        {
            ImageFile.Save(_folder.File($"pictures/{i}.png"), new PixelImage(16, 16, 3, [.. Enumerable.Range(0, 768).Select(p => (byte)(p * (i + 1)))]));
        }

        var output = RunDiffusers(pipeline);

        Assert.Equal(2, output.Count);
        Assert.Contains("DDPMPipeline, epsilon, 1000 timesteps", output[1], StringComparison.Ordinal);
        Assert.Contains("read back it draws the same bits: True", output[1], StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("untrained/model_index.json")));
        Assert.True(File.Exists(_folder.File("tuned/model_index.json")));
        Pictures("diffusers-and-back.md", 0);
    }

    [Fact]
    public void Diffusers_PipelineWithLabels_KeepsThem()
    {
        using (var unet = UNetBuilder.From(UNetPresets.Diffusers(new ImageShape(3, 16, 16), [32, 32])).WithLabels(new LabelOptions { Classes = 3 }).Build())
        using (var labelled = DiffusersPipeline.From(unet, NoiseSchedule.Linear(), nullLabel: 2, classNames: ["disc", "stripe"]))
        {
            labelled.Save(_folder.File("labelled"));
        }

        for (var i = 0; i < 4; i++)
        {
            ImageFile.Save(_folder.File($"pictures/{(i % 2 == 0 ? "disc" : "stripe")}/{i}.png"), new PixelImage(16, 16, 3, [.. Enumerable.Range(0, 768).Select(p => (byte)(p * (i + 1)))]));
        }

        var output = RunDiffusers(_folder.File("labelled"));

        Assert.Contains("read back it draws the same bits: True", output[1], StringComparison.Ordinal);
        using var tuned = DiffusersPipeline.Load(_folder.File("tuned"));
        Assert.Equal(["disc", "stripe"], tuned.ClassNames);
        Assert.Equal(2, tuned.NullLabel);
    }

    [Theory]
    [InlineData("```csharp\nusing Diffusion;\na\n```\ntext\n```csharp\nb\n```\n```csharp\nusing Diffusion;\nc\n```\n", "using Diffusion;\na\n\nb\n\n|using Diffusion;\nc\n\n")]
    [InlineData("```json\n{}\n```\n```csharp\nusing Diffusion;\n```\n```\nls\n```", "using Diffusion;\n\n")]
    public void Of_Blocks_AreProgramsByTheirFirstLine(string text, string programs) =>
        Assert.Equal(programs, string.Join('|', DocumentPrograms.Of(text)).ReplaceLineEndings("\n"));

    [Fact]
    public void Of_FirstBlockWithoutUsing_IsAnError() => Assert.Throws<InvalidDataException>(() => DocumentPrograms.Of("```csharp\na\n```"));

    public void Dispose() => _folder.Dispose();

    private IReadOnlyList<string> RunDiffusers(string pipeline) => DocumentPrograms.Read("tutorials/diffusers-and-back.md").With(
        ("Load(\"ddpm-cifar10-32\")", $"Load(@\"{pipeline}\")"),
        ("3, 32, 32]", "3, 16, 16]"),
        ("Height = 32, Width = 32", "Height = 16, Width = 16"),
        ("Steps = 2000, BatchSize = 16", "Steps = 2, BatchSize = 2")).Run(_folder.Path);

    /// <summary>Every picture that the page shows is at most 100 kB, and the one that its programs make, but for a rounding of processors.</summary>
    private void Pictures(string page, int count)
    {
        var folder = Path.Combine(Repository, "docs", "tutorials");
        var names = Picture().Matches(File.ReadAllText(Path.Combine(folder, page))).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(count, names.Count);
        Assert.All(names, name =>
        {
            Assert.InRange(new FileInfo(Path.Combine(folder, name)).Length, 1, 100_000);
            var (shown, made) = (ImageFile.Load(Path.Combine(folder, name)), ImageFile.Load(_folder.File(name)));
            Assert.Equal((shown.Width, shown.Height, shown.Channels), (made.Width, made.Height, made.Channels));
            Assert.True(shown.Pixels.ToArray().Zip(made.Pixels.ToArray()).Average(pixel => Math.Abs(pixel.First - pixel.Second)) < 2, $"{name} is not what the programs of {page} draw");
        });
    }

    private static double Number(Group group) => double.Parse(group.Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(@"!\[[^\]]*\]\(([^)]*)\)")]
    private static partial Regex Picture();

    [GeneratedRegex(@"the loss before training: ([\d.]+)")]
    private static partial Regex LossBefore();

    [GeneratedRegex(@"at most ([\d.E+-]+) apart, of values up to ([\d.]+)")]
    private static partial Regex ByHand();
}
