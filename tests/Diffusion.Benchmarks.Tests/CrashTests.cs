using System.Globalization;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The bounded run of what the command <c>crash</c> does 200 times.</summary>
public sealed class CrashTests(ITestOutputHelper log)
{
    [Fact]
    public void Run_TenKillsAtRandomMoments_LosesNothing()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        var code = CrashCommand.Run(kills: 10, seed: 7, output);
        log.WriteLine(output.ToString());
        Assert.True(code == 0, output.ToString());
    }

    [Fact]
    public void Losses_OfEachKind_AreSeen()
    {
        using var folder = new TemporaryFolder();
        CrashRun.Train(folder.Path, 8, _ => { });
        var checkpoints = new CrashFolder(folder.Path);
        Assert.Empty(checkpoints.Losses());
        Directory.Delete(folder.File("step-00000006"), recursive: true);
        Assert.Equal(["the whole checkpoints were of the steps 8, 6, 4, and are of 8, 4", "the whole checkpoint of step 6 is gone, and an older one is not"], checkpoints.Losses());
        File.AppendAllText(folder.File("step-00000008/model.safetensors"), "x");
        Assert.Contains(checkpoints.Losses(), loss => loss.Contains("step-00000008/model.safetensors' is not the file that the manifest describes", StringComparison.Ordinal));
    }
}
