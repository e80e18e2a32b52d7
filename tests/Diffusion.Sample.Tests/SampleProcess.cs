using System.Diagnostics;

namespace Diffusion.Sample.Tests;

/// <summary>Runs of the sample app in a folder of their own.</summary>
internal sealed class SampleProcess : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-sample-").FullName;

    /// <summary>A network of a few thousand weights on the first images of MNIST.</summary>
    public const string Model = """
        "model": { "stemChannels": 8, "down": [ { "channels": 8, "layers": 1 }, { "channels": 16, "layers": 1, "attention": true } ], "mid": [ { "channels": 16 } ], "timeDimension": 16,
                   "downsampling": "convolution4", "upsampling": "transposed" }
        """;

    /// <summary>The app, for <c>dotnet</c>.</summary>
    public static string App { get; } = Path.Combine(AppContext.BaseDirectory, "Diffusion.Sample.dll");

    public string At(string name) => Path.Combine(_folder, name);

    /// <summary>Writes a configuration for the tiny network.</summary>
    public string Configure(string training, string model = Model, int every = 1000, string watch = "")
    {
        var mnist = Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples", "data", "mnist")).Replace('\\', '/');
        File.WriteAllText(At("run.json"), $$"""
            { "data": { "path": "{{mnist}}", "limit": 200 }, {{model}},
              "training": { "batchSize": 4, "learningRate": 0.001, "checkpoints": { "every": {{every}} }, {{training}} },
              "sampling": { "count": 4, "steps": 3 },
              "watch": { {{watch}} } }
            """);
        return At("run.json");
    }

    public (int ExitCode, string Output, string Error) Run(params string[] arguments) => Run(Start(arguments));

    /// <summary>With a variable of the environment.</summary>
    public (int ExitCode, string Output, string Error) RunWith(string variable, string value, params string[] arguments)
    {
        var start = Info("dotnet", [App, .. arguments]);
        start.Environment[variable] = value;
        return Run(Process.Start(start)!);
    }

    /// <summary>Waits for the end of a process, and disposes it.</summary>
    public static (int ExitCode, string Output, string Error) Run(Process started)
    {
        using var process = started;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    public Process Start(params string[] arguments) => StartProgram("dotnet", [App, .. arguments]);

    /// <summary>With the signals that a shell in the background, or nohup, has its children ignore.</summary>
    public Process StartWithSignals(params string[] arguments) =>
        OperatingSystem.IsLinux() ? StartProgram("env", ["--default-signal=HUP,INT", "dotnet", App, .. arguments]) : Start(arguments);

    public Process StartProgram(string program, params string[] arguments) => Process.Start(Info(program, arguments))!;

    /// <summary>Waits until a process has changed the files of the folder so, or has ended.</summary>
    public async Task Until(Process process, Func<bool> done)
    {
        using var watcher = new FileSystemWatcher(_folder) { IncludeSubdirectories = true, EnableRaisingEvents = true };
        while (!process.HasExited && !done())
        {
            await Task.Run(() => watcher.WaitForChanged(WatcherChangeTypes.All, 1000));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ProcessStartInfo Info(string program, string[] arguments) =>
        new(program, arguments) { WorkingDirectory = _folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
}
