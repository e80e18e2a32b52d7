using System.Security.Cryptography;

namespace Diffusion.Sample.Tests;

/// <summary>A disk that takes no more, and a folder that is read-only: every command ends with code 1 and a sentence, and every file that was there is what it was.</summary>
public sealed class RefusedWriteTests : IDisposable
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly SampleProcess _app = new();

    [Fact]
    public void Commands_DiskFullOrReadOnly_LoseNothing()
    {
        using var disk = new SmallDisk(_app.At("disk"), 4096);
        var config = _app.Configure("\"steps\": 4", every: 2);
        Done(_app.Run("train", "--config", config, "--out", "disk/run"));
        Done(_app.Run("sample", "--checkpoint", "disk/run", "--count", "2", "--steps", "2", "--raw", "--out", "disk/drawn"));
        Done(_app.Run("interpolate", "--checkpoint", "disk/run", "--steps", "2", "--out", "disk/between"));
        Done(_app.Run("convert", "--from", "disk/run/ema.safetensors", "--to", "disk/converted.safetensors"));
        Done(_app.Run("train", "--config", config, "--steps", "6", "--stop-after", "2", "--out", "disk/longer"));

        string[][] commands =
        [
            ["train", "--config", config, "--seed", "3", "--out", "disk/other"],
            ["sample", "--checkpoint", "disk/run", "--count", "3", "--steps", "2", "--raw", "--out", "disk/drawn"],
            ["interpolate", "--checkpoint", "disk/run", "--steps", "3", "--out", "disk/between"],
            ["convert", "--from", "disk/run/model.safetensors", "--to", "disk/converted.safetensors"],
            ["train", "--resume", "--out", "disk/longer"],
        ];
        foreach (var command in commands)
        {
            Refuses(command, disk.Fill, disk.Free, "No space left on device");
            Refuses(command, () => disk.MakeReadOnly(true), () => disk.MakeReadOnly(false), "Read-only file system");
        }

        Assert.Equal(2, Checkpoint.Newest(_app.At("disk/longer/checkpoints"))!.Step);
        Done(_app.Run(commands[^1])); // now that it can be written
        Assert.Equal(6, Checkpoint.Newest(_app.At("disk/longer/checkpoints"))!.Step);
    }

    [Fact]
    public void Train_FolderThatIsNotToBeWritten_SaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "modes of files");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may write everywhere");
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 2", every: 2), "--out", "run"));
        string[] folders = [_app.At("run"), .. Directory.GetDirectories(_app.At("run"), "*", SearchOption.AllDirectories)];
        Refuses(
            ["train", "--resume", "--steps", "4", "--out", "run"],
            () => Array.ForEach(folders, folder => SetMode(folder, Readable)),
            () => Array.ForEach(folders, folder => SetMode(folder, Readable | UnixFileMode.UserWrite)),
            "denied");
    }

    /// <summary>The same where the tests are root's, which becomes another user.</summary>
    [Fact]
    public void Train_FolderOfSomebodyElse_SaysSo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root becomes another user");
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "there is no /usr/bin/setpriv, of util-linux, to become another user");
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 2", every: 2), "--out", "run"));
        SetMode(_app.At("."), Readable | UnixFileMode.UserWrite);
        string[] another = ["--reuid=65534", "--regid=65534", "--clear-groups", "dotnet", SampleProcess.App];
        Assert.SkipUnless(SampleProcess.Run(_app.StartProgram("setpriv", [.. another, "--help"])).ExitCode == 0, "another user cannot run the app here: its files are not to be read");
        string[] command = ["train", "--resume", "--steps", "4", "--out", "run"];
        Refuses(command, () => { }, () => { }, "denied", () => SampleProcess.Run(_app.StartProgram("setpriv", [.. another, .. command])));
    }

    public void Dispose() => _app.Dispose();

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);

    /// <summary>Runs a command while nothing can be written.</summary>
    private void Refuses(string[] command, Action close, Action open, string reason, Func<(int ExitCode, string Output, string Error)>? run = null)
    {
        var (before, what) = (Hashes(), $"{command[0]}, {reason}");
        close();
        var (exitCode, output, error) = run is null ? _app.Run(command) : run();
        open();
        Assert.True(exitCode == 1, $"{what}: {exitCode}: {output}{error}");
        Assert.True(error.ReplaceLineEndings(" ").Contains(reason, StringComparison.OrdinalIgnoreCase), $"{what}: {error}");
        Assert.True(error.Contains(Path.GetDirectoryName(_app.At("x"))!, StringComparison.Ordinal), $"{what}, where: {error}");
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        var after = Hashes();
        Assert.All(before, file => Assert.True(after.GetValueOrDefault(file.Key) == file.Value, $"{what}: {file.Key} is not what it was"));
        Assert.Empty(Directory.GetFiles(_app.At("."), "*.tmp", SearchOption.AllDirectories));
    }

    private static void SetMode(string folder, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, mode);
        }
    }

    /// <summary>Of every file but the lock's.</summary>
    private Dictionary<string, string> Hashes() => Directory.GetFiles(_app.At("."), "*", SearchOption.AllDirectories)
        .Where(path => Path.GetFileName(path) is not (".lock" or ".lock-owner"))
        .ToDictionary(path => path, path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
}
