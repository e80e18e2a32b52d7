using System.Buffers.Binary;
using Diffusion.Imaging;

namespace Diffusion.Fuzzing;

/// <summary>Folders of images with links and unusual names, and PNG files with other sizes in their headers than they have pixels.</summary>
internal static class FuzzImages
{
    private const int Side = 4;
    private const int HeaderAt = 12; // its type; width, height and four more bytes follow, and the checksum
    private const int HeaderLength = 17;

    private static readonly byte[] s_png = Png();
    private static readonly uint[] s_sizes = [0, 1, 2, 3, Side, Side, Side, Side, Side + 1, 64, 1_000_001, int.MaxValue, 1u << 31, uint.MaxValue];
    private static readonly string[] s_names = ["a.png", "b.PNG", "c.jpg", "x/a.png", "x/d.png", "y/é 😀.png", ".hidden.png", "notes.txt", "x/.h/a.png", "z.png/a.png"];
    private static readonly string[] s_targets = [".", "..", "x", "y", "absent.png", "a.png", "x/loop", "notes.txt"];

    /// <summary>A PNG file whose header has other sizes, depths or colours; its checksum is right.</summary>
    public static byte[] Sizes(Random random)
    {
        var png = s_png.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(HeaderAt + 4), s_sizes[random.Next(s_sizes.Length)]);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(HeaderAt + 8), s_sizes[random.Next(s_sizes.Length)]);
        if (random.Next(4) == 0)
        {
            png[HeaderAt + 12 + random.Next(5)] = (byte)random.Next(20);
        }

        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(HeaderAt + HeaderLength), Checksum(png.AsSpan(HeaderAt, HeaderLength)));
        return png;
    }

    /// <summary>Reads such a file: what is read has the size that the header says.</summary>
    public static void ReadSizes(string path)
    {
        var header = File.ReadAllBytes(path).AsSpan(HeaderAt + 4, 8);
        var image = ImageFile.Load(path);
        FuzzKinds.Require(
            image.Width == BinaryPrimitives.ReadUInt32BigEndian(header) && image.Height == BinaryPrimitives.ReadUInt32BigEndian(header[4..]), "an image has another size than its header says");
    }

    /// <summary>Makes a folder of images, links and other files, and reads it: every image once.</summary>
    public static void ReadFolder(string path)
    {
        var plan = File.ReadAllBytes(path);
        var root = FuzzFolders.Fresh(path + ".images");
        for (var i = 0; i < s_names.Length; i++)
        {
            if (plan[i] > 128)
            {
                var file = Path.Combine(root, s_names[i]);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllBytes(file, s_png);
            }
        }

        foreach (var (name, at) in new[] { ("loop", 10), ("x/loop", 11), ("link.png", 12) })
        {
            if (plan[at] > 128 && Directory.Exists(Path.GetDirectoryName(Path.Combine(root, name))))
            {
                File.CreateSymbolicLink(Path.Combine(root, name), s_targets[plan[at] % s_targets.Length]);
            }
        }

        using var images = ImageFolder.Open(root, new ImageFolderOptions { Height = Side, Width = Side, Labels = plan[13] > 128, SkipCorrupt = plan[14] > 128 });
        FuzzKinds.Require(images.RelativePaths.Count == images.Count && images.RelativePaths.Distinct().Count() == images.Count, "an image was counted twice");
        FuzzKinds.Require(images.Count <= s_names.Length + 1, "links made more images than there are files");
        using var all = images.Read([.. Enumerable.Range(0, images.Count)]);
        FuzzKinds.Require(all.Images.shape[0] == images.Count, "an image was not read");
    }

    private static byte[] Png()
    {
        using var folder = new TemporaryFolder();
        using var pixels = TorchSharp.torch.zeros(3, Side, Side);
        ImageFile.Save(folder.File("a.png"), pixels);
        return File.ReadAllBytes(folder.File("a.png"));
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes)
        {
            sum ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                sum = (sum >> 1) ^ ((sum & 1) * 0xEDB88320u);
            }
        }

        return ~sum;
    }
}
