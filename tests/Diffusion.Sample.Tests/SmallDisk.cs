using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Diffusion.Sample.Tests;

/// <summary>A disk of a few hundred kilobytes at a folder: one that can be full, or read-only, for root too.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _folder;

    /// <summary>Mounts it; the test is skipped where that is not allowed.</summary>
    public SmallDisk(string folder, long kibibytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "tmpfs is Linux's");
        _folder = folder;
        Directory.CreateDirectory(folder);
        var error = Command("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kibibytes}k"), "tmpfs", folder);
        Assert.SkipUnless(error is null, $"a disk cannot be mounted here: {error}");
    }

    private string Filler => Path.Combine(_folder, "filler");

    /// <summary>Takes all that is free.</summary>
    public void Fill()
    {
        using var stream = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        try
        {
            while (true)
            {
                stream.Write(page);
            }
        }
        catch (IOException)
        {
            // it is full
        }
    }

    /// <summary>Frees what <see cref="Fill"/> took.</summary>
    public void Free() => File.Delete(Filler);

    /// <summary>Nothing can be written any more, or everything again.</summary>
    public void MakeReadOnly(bool isReadOnly) => Assert.Null(Command("mount", "-o", isReadOnly ? "remount,ro" : "remount,rw", _folder));

    public void Dispose() => Command("umount", _folder);

    /// <returns>What went wrong, if anything did; the program may not be there.</returns>
    private static string? Command(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (Win32Exception e)
        {
            return e.Message;
        }
    }
}
