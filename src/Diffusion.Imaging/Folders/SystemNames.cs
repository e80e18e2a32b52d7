namespace Diffusion.Imaging;

/// <summary>What operating systems, network drives, archives and office programs put beside the files of people. Upper and lower case are the same.</summary>
internal static class SystemNames
{
    private const string OfDownloads = ":Zone.Identifier";
    private const string OfOffice = "~$";

    /// <summary>Windows, macOS and what it packs, Linux, Android; Synology, QNAP, NetApp.</summary>
    private static readonly HashSet<string> s_folders = new(
        [
            "$RECYCLE.BIN", "RECYCLER", "RECYCLED", "System Volume Information", "__MACOSX", "Network Trash Folder", "TheVolumeSettingsFolder", "lost+found", "LOST.DIR",
            "@eaDir", "@tmp", "@sharebin", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", "@Transcode", "~snapshot",
        ],
        StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> s_files = new(["Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "Icon\r"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a system keeps a folder of this name for itself.</summary>
    public static bool IsFolder(string name) => s_folders.Contains(name);

    /// <summary>What a file of this name is, where it is one of a system, whatever its extension; <see langword="null"/> for all others.</summary>
    public static string? File(string name) =>
        name.EndsWith(OfDownloads, StringComparison.OrdinalIgnoreCase) ? OfDownloads
        : name.StartsWith(OfOffice, StringComparison.Ordinal) ? OfOffice
        : s_files.TryGetValue(name, out var known) ? known.TrimEnd('\r')
        : null;
}
