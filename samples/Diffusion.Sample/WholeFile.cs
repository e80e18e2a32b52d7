namespace Diffusion.Sample;

/// <summary>Writes files that are whole or absent, also where the process is killed or the disk is full.</summary>
internal static class WholeFile
{
    /// <summary>Writes a file, in place of one of that name; its folder is made if need be.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var part = path + ".tmp";
        try
        {
            File.WriteAllBytes(part, content);
            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }
}
