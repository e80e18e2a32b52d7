using System.Diagnostics;
using System.Globalization;

namespace Diffusion.Sample.Tests;

/// <summary>Runs that are asked to end: a whole checkpoint, or nothing, and the exit code that shells give the signal.</summary>
public sealed class InterruptionTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Theory]
    [InlineData("HUP", 129)]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Train_Interrupted_StopsWithACheckpointAndTheSignalsCode(string signal, int expected)
    {
        SkipOnWindows();
        using var process = _app.StartWithSignals("train", "--config", _app.Configure("\"steps\": 100000", every: 5));
        var output = process.StandardOutput.ReadToEndAsync();
        await FirstCheckpoint(process);
        await Send(signal, process);

        await process.WaitForExitAsync();
        Assert.Equal(expected, process.ExitCode);
        var step = Checkpoint.Newest(_app.At("out/checkpoints"))!.Step;
        Assert.Contains($"Stopped at step {step} of 100000; train --resume --out", (await output).ReplaceLineEndings(""), StringComparison.Ordinal);
        Assert.Contains($"cancelled after step {step} of 100000", await File.ReadAllTextAsync(_app.At("out/report.html")), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_app.At("out"), "*.tmp", SearchOption.AllDirectories));
        var resumed = _app.Run("train", "--resume", "--stop-after", "1");
        Assert.True(resumed.ExitCode == 0, resumed.Error + resumed.Output);
        Assert.Equal(step + 1, Checkpoint.Newest(_app.At("out/checkpoints"))!.Step);
    }

    [Theory]
    [InlineData("INT", 130, "sample")]
    [InlineData("TERM", 143, "reconstruct")]
    public async Task Drawing_Interrupted_WritesNothing(string signal, int expected, string command)
    {
        SkipOnWindows();
        var trained = _app.Run("train", "--config", _app.Configure("\"steps\": 1"), "--out", "run");
        Assert.True(trained.ExitCode == 0, trained.Error + trained.Output);
        using var process = _app.StartWithSignals(command, "--checkpoint", "run", "--count", "64", "--steps", "1000", "--out", "drawn");
        var (output, error) = (process.StandardOutput, process.StandardError.ReadToEndAsync());
        while (await output.ReadLineAsync() is { } line && !line.Contains('%', StringComparison.Ordinal))
        {
            // Until the first line of progress.
        }

        await Send(signal, process);
        await output.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == expected, $"{process.ExitCode}: {await error}");
        Assert.Contains("Stopped before anything was written", await error, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(_app.At("drawn")) ? Directory.GetFileSystemEntries(_app.At("drawn")) : []);
    }

    /// <summary>As coreutils' timeout does: its signal goes to the process, and to the group that the process is in.</summary>
    [Fact]
    public async Task Train_SameSignalTwiceAtOnce_StillWritesItsCheckpoint()
    {
        SkipOnWindows();
        using var process = _app.StartWithSignals("train", "--config", _app.Configure("\"steps\": 100000", every: 100000));
        var output = process.StandardOutput.ReadToEndAsync();
        await FirstLoss(process);
        await Task.WhenAll(Send("INT", process), Send("INT", process));
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains($"Stopped at step {Checkpoint.Newest(_app.At("out/checkpoints"))!.Step}", await output, StringComparison.Ordinal);
    }

    /// <summary>A command that cannot hear of the first one: it waits for the end of a text that has none.</summary>
    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Train_SecondSignal_EndsAtOnce(string signal, int expected)
    {
        SkipOnWindows();
        using var process = _app.StartWithSignals("train", "--config", "/dev/stdin");
        await process.StandardInput.WriteAsync(new string(' ', 1 << 20)); // more than a pipe holds: once the command reads
        await process.StandardInput.FlushAsync();
        while (!process.HasExited)
        {
            await Send(signal, process);
        }

        Assert.Equal(expected, process.ExitCode);
    }

    /// <summary>A terminal that closes takes writes no more, and its shell sends the signal on.</summary>
    [Fact]
    public async Task Train_TerminalCloses_StopsWithACheckpoint()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script of util-linux opens the terminal");
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "there is no /usr/bin/script, of Debian's package bsdutils");
        var config = _app.Configure("\"steps\": 100000", every: 5);
        File.WriteAllText(_app.At("shell.sh"), $"trap 'kill -HUP $!' HUP\ndotnet '{SampleProcess.App}' train --config '{config}' &\nwait $!\nwait $!\necho $? > code.txt\nmv code.txt code\n");
        using var terminal = _app.StartProgram("script", "--quiet", "--return", "--command", "env --default-signal=HUP bash shell.sh", "/dev/null");
        _ = terminal.StandardOutput.ReadToEndAsync();
        using var codes = new FileSystemWatcher(_app.At("."), "code") { EnableRaisingEvents = true };
        await FirstCheckpoint(terminal);
        terminal.Kill();
        while (!File.Exists(_app.At("code")))
        {
            codes.WaitForChanged(WatcherChangeTypes.All, 1000);
        }

        Assert.Equal("129", File.ReadAllText(_app.At("code")).Trim());
        var step = Checkpoint.Newest(_app.At("out/checkpoints"))!.Step;
        Assert.Contains($"cancelled after step {step} of 100000", await File.ReadAllTextAsync(_app.At("out/report.html")), StringComparison.Ordinal);
    }

    public void Dispose() => _app.Dispose();

    private static void SkipOnWindows() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows sends no signal to another process");

    private static async Task Send(string signal, Process process) =>
        await Finish(Process.Start("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]));

    private static async Task Finish(Process process)
    {
        using (process)
        {
            await process.WaitForExitAsync();
        }
    }

    private Task FirstCheckpoint(Process process) => _app.Until(process, () => Checkpoint.List(_app.At("out/checkpoints")).Count > 0);

    private Task FirstLoss(Process process) => _app.Until(process, () => File.Exists(_app.At("out/losses.csv")) && new FileInfo(_app.At("out/losses.csv")).Length > 100);
}
