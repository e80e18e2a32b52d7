using System.Runtime.InteropServices;

namespace Diffusion;

/// <summary>Folders whose names are on the disk: on Linux and macOS a file that was made, renamed or deleted is so after a loss of power only once its folder is flushed, too. Windows needs no such call.</summary>
internal static class DurableFolder
{
    private const int InputOutput = 5; // error numbers
    private const int NoSpace = 28;
    private const int QuotaOfLinux = 122;
    private const int QuotaOfMac = 69;

    private static readonly AsyncLocal<Action<string>?> s_flushing = new();

    /// <summary>Told of each folder that is flushed, before it is: for tests. It is of the caller and of what it starts, and of nobody else.</summary>
    internal static Action<string>? Flushing
    {
        get => s_flushing.Value;
        set => s_flushing.Value = value;
    }

    /// <summary>Makes a folder, and those above it, that stay.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void Create(string folder)
    {
        var above = new Stack<string>();
        for (var each = PathNames.Whole(folder); !Directory.Exists(each) && Path.GetDirectoryName(each) is { } parent; each = parent)
        {
            above.Push(parent);
        }

        Directory.CreateDirectory(folder);
        while (above.TryPop(out var changed))
        {
            Flush(changed);
        }
    }

    /// <summary>Waits until the names in a folder are on the disk. File systems that cannot do that are left alone.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static void Flush(string folder)
    {
        Flushing?.Invoke(folder);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var error = UnixFiles.Flush(folder);
        if (error is InputOutput or NoSpace || error == (OperatingSystem.IsMacOS() ? QuotaOfMac : QuotaOfLinux))
        {
            throw new IOException($"The folder '{folder}' cannot be written to the disk: {Marshal.GetPInvokeErrorMessage(error)}.", error);
        }
    }
}
