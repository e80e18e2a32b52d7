namespace Diffusion;

/// <summary>
/// Changes of files and folders that another process may have open. Windows refuses to replace, move or delete these; virus scanners, indexers and viewers close them soon, so that it is tried again for some
/// seconds. Other systems never refuse that.
/// </summary>
internal static class SharingViolation
{
    internal const int AccessDenied = unchecked((int)0x80070005); // also where a deleted file is still open
    internal const int NotEmpty = unchecked((int)0x80070091); // a deleted file in the folder is still open
    internal const int Unspecified = unchecked((int)0x80131620); // of .NET

    private const int Sharing = unchecked((int)0x80070020);
    private const int Locked = unchecked((int)0x80070021);
    private const int DeletePending = unchecked((int)0x8007012F);
    private const int Mapped = unchecked((int)0x800704C8);

    /// <summary>How long it is waited.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(10);

    /// <summary>Does it; again while another process is in the way.</summary>
    /// <param name="path">What is changed, for the message.</param>
    /// <param name="change">The change, which can be tried again where it failed.</param>
    /// <exception cref="IOException">Another process is still in the way; the message names the path.</exception>
    public static void Wait(string path, Action change) => Wait(path, change, OperatingSystem.IsWindows(), Longest);

    /// <summary>As <see cref="Wait(string, Action)"/>, for tests.</summary>
    /// <param name="path">What is changed.</param>
    /// <param name="change">The change.</param>
    /// <param name="onWindows">Whether an access that is denied may be another process's doing, as on Windows.</param>
    /// <param name="longest">How long it is waited.</param>
    internal static void Wait(string path, Action change, bool onWindows, TimeSpan longest)
    {
        using var never = new ManualResetEventSlim();
        var start = Environment.TickCount64;
        for (var pause = s_first; ; pause *= 2)
        {
            try
            {
                change();
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && Is(e.HResult, onWindows))
            {
                var left = longest - TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
                if (left <= TimeSpan.Zero)
                {
                    throw new IOException($"'{path}' cannot be changed: another process has it or something in it open, or it may not be written. Close it there. ({e.Message})", e);
                }

                never.Wait(pause < left ? pause : left);
            }
        }
    }

    private static bool Is(int error, bool onWindows) => error is Sharing or Locked or DeletePending or Mapped || (onWindows && error is AccessDenied or NotEmpty);
}
