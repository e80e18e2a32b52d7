namespace Diffusion.Sample.Tests;

/// <summary>Options that a command takes and nothing would use with what it is given: refused by name, before anything is written.</summary>
public sealed class UnusedOptionTests : IClassFixture<TaskCommandTests.TrainedRun>
{
    private static readonly string s_pipeline = Path.Combine(Golden.Folder, "diffusers_pipeline", "ddpm_pipeline_16", "pipeline");

    private readonly SampleProcess _app;

    public UnusedOptionTests(TaskCommandTests.TrainedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _app = run.App;
    }

    [Theory]
    [InlineData("--variant", "train --config run.json --out new --variant fp16")]
    [InlineData("--network", "train --config run.json --out new --network absent.json")]
    [InlineData("--ignore-key", "train --config run.json --out new --ignore-key x")]
    [InlineData("--variant, --network, --ignore-key", "train --from out --out new --variant fp16 --network absent.json --ignore-key x")]
    [InlineData("--network", "train --config run.json --from PIPELINE --out new --network absent.json")]
    [InlineData("--ignore-key", "train --config run.json --from PIPELINE/unet --schedule linear --out new --ignore-key x")]
    [InlineData("--network", "sample --checkpoint PIPELINE --out new --network absent.json")]
    [InlineData("--ignore-key", "sample --checkpoint PIPELINE/unet --schedule linear --out new --ignore-key x")]
    [InlineData("--ignore-key", "sample --checkpoint out --out new --ignore-key x")]
    [InlineData("--null-label", "sample --checkpoint out --out new --null-label 3")]
    [InlineData("--count", "img2img --checkpoint out --out new --input digit.png --count 2")]
    [InlineData("--data", "inpaint --checkpoint out --out new --input digit.png --data absent")]
    [InlineData("--count", "reconstruct --checkpoint out --out new --input digit.png --count 2")]
    [InlineData("--seed", "reconstruct --checkpoint out --out new --seed 3")]
    [InlineData("--seed", "interpolate --checkpoint out --out new --seed 3")]
    [InlineData("--data", "interpolate --checkpoint out --out new --seeds 1 2 --data absent")]
    [InlineData("--codec", "interpolate --checkpoint out --out new --seeds 1 2 --codec skia")]
    [InlineData("--codec", "interpolate --checkpoint out --out new --codec skia")]
    [InlineData("--codec", "img2img --checkpoint out --out new --codec skia")]
    [InlineData("--codec", "reconstruct --checkpoint out --out new --codec skia")]
    [InlineData("--codec", "inpaint --checkpoint out --out new --hole left --codec skia")]
    [InlineData("--jump-length", "inpaint --checkpoint out --out new --resamples 1 --jump-length 5")]
    [InlineData("--prefix", "convert --from out --to new --dialect diffusers --prefix a")]
    [InlineData("--variant", "convert --from out --to new --dialect diffusers --variant fp16")]
    [InlineData("--config", "convert --from out --to new --dialect diffusers --config absent.json")]
    [InlineData("--network", "convert --from out --to new --dialect diffusers --network absent.json")]
    [InlineData("--network", "convert --from out --to new.safetensors --network absent.json")]
    [InlineData("--network", "convert --from out --to new.safetensors --dialect course --reverse --network absent.json")]
    [InlineData("--variant, --ignore-key", "info --variant fp16 --ignore-key x")]
    [InlineData("--ignore-key", "info out --ignore-key x")]
    [InlineData("--variant", "info PIPELINE/scheduler --variant fp16")]
    public void Run_OptionWithoutUse_IsRefused(string option, string command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var run = _app.Run(command.Split(' ').Select(part => part.Replace("PIPELINE", s_pipeline, StringComparison.Ordinal)).ToArray());
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.Matches($"^{option} ha(s|ve) no use here: ", run.Error);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_app.At(".")), path => Path.GetFileName(path).StartsWith("new", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("convert --from out --to new.json --dialect diffusers", "without '.json'")]
    [InlineData("info out/ema.safetensors --variant fp16", "is a file")]
    public void Run_WrongPath_SaysWhatIsNeeded(string command, string expected)
    {
        ArgumentNullException.ThrowIfNull(command);
        var run = _app.Run(command.Split(' '));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", run.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(_app.At("new.json")));
    }
}
