namespace Diffusion.Imaging;

/// <summary>One image file of a folder, as it was when the folder was opened.</summary>
internal sealed class FolderFile
{
    private readonly string _path;
    private long _length;
    private DateTime _written;

    public FolderFile(string path) => _path = path;

    /// <summary>The size in bytes, once it was decoded.</summary>
    public long Length => _length;

    /// <summary>A hash of the bytes, once it was decoded.</summary>
    public string Content { get; private set; } = "";

    /// <summary>Decodes the file and remembers its size, time and a hash of its bytes.</summary>
    /// <returns>The pixels at the wanted shape, [C, H, W].</returns>
    public byte[] ReadFirst(ImageFolderOptions options)
    {
        using var stream = ImagePath.OpenRead(_path);
        (_length, _written) = Stamp(stream);
        var pixels = Decode(stream, options);
        using var again = stream.CanSeek ? null : ImagePath.OpenRead(_path); // a codec of the user's may have closed it
        Content = Fingerprints.OfFile(again ?? stream);
        return pixels;
    }

    /// <summary>Decodes the file, which must be the one that <see cref="ReadFirst"/> saw.</summary>
    /// <returns>The pixels at the wanted shape, [C, H, W].</returns>
    /// <exception cref="IOException">It has gone or changed, or can no longer be read.</exception>
    public byte[] ReadAgain(ImageFolderOptions options)
    {
        try
        {
            using var stream = ImagePath.OpenRead(_path);
            if (Stamp(stream) == (_length, _written))
            {
                return Decode(stream, options);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IOException($"The image {_path} has gone since its folder was opened.", e);
        }
        catch (Exception e) when (e is not OutOfMemoryException) // a codec of the user's may throw anything
        {
            throw new IOException($"The image {_path} can no longer be read: {e.Message}", e);
        }

        throw new IOException($"The image {_path} has changed since its folder was opened.");
    }

    private static (long Length, DateTime Written) Stamp(FileStream stream)
        => (stream.Length, File.GetLastWriteTimeUtc(stream.SafeFileHandle));

    private static byte[] Decode(FileStream stream, ImageFolderOptions options)
    {
        var image = options.Codec.Decode(stream).WithChannels(options.Channels);
        return PixelTensor.ToPlanar(image.Resize(options.Width, options.Height, options.Fit));
    }
}
