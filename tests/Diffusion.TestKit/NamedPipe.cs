using System.Diagnostics;

namespace Diffusion;

/// <summary>A named pipe that nobody writes to: whoever opens it waits. Linux and macOS.</summary>
public static class NamedPipe
{
    /// <summary>Makes it, in place of what is there.</summary>
    /// <param name="path">Its name.</param>
    /// <returns>The name.</returns>
    public static string At(string path)
    {
        File.Delete(path);
        using var process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        return process.ExitCode == 0 ? path : throw new InvalidOperationException($"mkfifo could not make '{path}'.");
    }
}
