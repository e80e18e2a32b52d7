using System.Diagnostics;
using System.Globalization;

namespace Diffusion;

/// <summary>Keeps other processes, and other trainers of this one, from writing to a folder. The system releases it when its owner ends, however that happens.</summary>
internal sealed class FolderLock : IDisposable
{
    private const string LockFile = ".lock";
    private const string OwnerFile = ".lock-owner"; // who holds the lock: the locked file itself cannot be read
    private const int WouldBlock = 11; // of Linux
    private const int WouldBlockMac = 35;
    private const int Sharing = unchecked((int)0x80070020); // of Windows

    private readonly string _owner;
    private readonly FileStream _file;

    private FolderLock(string owner, FileStream file) => (_owner, _file) = (owner, file);

    /// <summary>Takes it.</summary>
    /// <param name="folder">The folder; created if need be.</param>
    /// <returns>The lock, until it is disposed.</returns>
    /// <exception cref="IOException">Somebody else has it; the message says who.</exception>
    public static FolderLock Take(string folder)
    {
        PortableName.ThrowOnWindows(folder);
        DurableFolder.Create(folder);
        var owner = Path.Combine(folder, OwnerFile);
        FileStream file;
        try
        {
            file = Open(folder, owner);
        }
        catch (IOException e) when (e.HResult is WouldBlock or WouldBlockMac or Sharing)
        {
            throw new IOException($"it is in use by {Owner(folder)}, which trains into it.", e);
        }

        try
        {
            Array.ForEach(Directory.GetFiles(folder, $".{OwnerFile}.*.tmp"), AtomicFile.TryDelete); // of owners that were killed while they wrote theirs
            using var self = Process.GetCurrentProcess();
            AtomicFile.WriteText(owner, string.Create(
                CultureInfo.InvariantCulture, $"process {Environment.ProcessId} ({self.ProcessName}) on {Environment.MachineName} since {DateTime.Now:yyyy-MM-dd HH:mm:ss}"));
            return new FolderLock(owner, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Releases it. The locked file stays: who deletes it could delete that of the next owner.</summary>
    public void Dispose()
    {
        try
        {
            File.Delete(_owner);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // somebody reads it; the next owner writes it anew
        }

        _file.Dispose();
    }

    private static FileStream Open(string folder, string owner)
    {
        FileStream? file = null;
        void Try() => file = new FileStream(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        if (OperatingSystem.IsWindows() && !File.Exists(owner))
        {
            SharingViolation.Wait(folder, Try); // a scanner may look at it: an owner has left its name
        }
        else
        {
            Try();
        }

        return file!;
    }

    private static string Owner(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, OwnerFile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
