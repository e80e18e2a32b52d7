using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Files that are given for weights and are something else: the message says what they are and what to do.</summary>
public sealed class FileContentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, byte[], string> Others => new()
    {
        { "a pointer", Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 335\n"), "of 335 bytes that it stands for: run `git lfs install` and `git lfs pull`" },
        { "an old pointer", Encoding.ASCII.GetBytes("version https://hawser.github.com/spec/v1\r\noid sha256:4d\r\nsize 7\r\n"), "a pointer of Git LFS" },
        { "a page", Encoding.UTF8.GetBytes("\uFEFF \n<!DOCTYPE html>\n<html><head><title>Sign in</title>"), "an HTML page and no weights" },
        { "a page without a type", Encoding.UTF8.GetBytes("<HTML lang='en'>"), "an HTML page and no weights" },
        { "a server's error", Encoding.UTF8.GetBytes("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"), "an XML document and no weights, such as a server answers instead of a file (<?xml version=\"1.0\"?><Error><Code>AccessDenied" },
        { "the Hub's error", Encoding.UTF8.GetBytes("{\"error\":\"Repository not found\"}"), "JSON and no weights ({\"error\":\"Repository not found\"})" },
        { "a long configuration", Encoding.UTF8.GetBytes("{" + new string(' ', 300) + "\"a\":1}"), "JSON and no weights" },
        { "an index", Encoding.UTF8.GetBytes("{\"weight_map\": {\"a\": \"b.safetensors\"}}"), "an index of shards" },
        { "a text", Encoding.UTF8.GetBytes("Invalid username or password."), "a text and no weights (Invalid username or password.)" },
        { "gzip", Gzip(), "a gzip archive: unpack it" },
        { "tar", Tar(), "a tar archive: unpack it" },
        { "7z", [.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C, 0, 4], "a 7-Zip archive: unpack it" },
        { "zip", Zip(), "a ZIP archive" },
        { "a pickle", [0x80, 4, (byte)'N', (byte)'.', 0, 0, 0, 0, 0, 0], "a pickle of Python" },
        { "GGUF", [.. "GGUF"u8, 3, 0, 0, 0, 0, 0], "a GGUF file" },
        { "HDF5", [0x89, .. "HDF\r\n"u8, 0x1A, (byte)'\n', 0, 0], "an HDF5 file, as Keras" },
        { "npy", [0x93, .. "NUMPY"u8, 1, 0, 0x76, 0], "an array of NumPy" },
        { "ONNX", [8, 8, 0x12, 7, .. "pytorch"u8, 0x1A, 3], "an ONNX network" },
        { "a model.onnx", [0x42, 2, 0x10, 0xFF, 0, 1, 2, 3, 4, 5], "by its name an ONNX network" },
        { "a picture", [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', 0, 0], "a PNG image" },
        { "zeros", new byte[100], "nothing but zeros at its beginning" },
        { "nothing", [], "empty" },
        { "a cut", [5, 1, 0, 0, 0, 0, 0, 0, .. "{\"a\":"u8], "a download that was cut off looks like this" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Load_SomethingElseNamedSafetensors_SaysWhatItIs(string name, byte[] content, string expected)
    {
        var path = _folder.Write(name.EndsWith(".onnx", StringComparison.Ordinal) ? name : name + ".safetensors", content);
        foreach (var read in new Action[] { () => Safetensors.Load(path).Dispose(), () => Safetensors.ReadMetadata(path) })
        {
            var message = Assert.Throws<InvalidDataException>(read).Message;
            Assert.StartsWith($"'{path}' is not a valid safetensors file: ", message, StringComparison.Ordinal);
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }

        File.Delete(path); // It is not held open.
    }

    [Fact]
    public void Load_LinkToAPipe_SaysSoAndDoesNotWait()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such files.");
        }

        var pipe = _folder.File("pipe");
        using (var made = System.Diagnostics.Process.Start("mkfifo", pipe))
        {
            made.WaitForExit();
            Assert.Equal(0, made.ExitCode);
        }

        File.CreateSymbolicLink(_folder.File("link.safetensors"), pipe);
        File.CreateSymbolicLink(_folder.File("nowhere.safetensors"), _folder.File("absent"));
        Assert.Contains("no plain file", Assert.Throws<InvalidDataException>(() => Safetensors.Load(_folder.File("link.safetensors"))).Message, StringComparison.Ordinal);
        Assert.Contains("leads nowhere", Assert.Throws<FileNotFoundException>(() => Safetensors.Load(_folder.File("nowhere.safetensors"))).Message, StringComparison.Ordinal);
        File.CreateSymbolicLink(_folder.File("a.safetensors"), _folder.File("b.safetensors"));
        File.CreateSymbolicLink(_folder.File("b.safetensors"), _folder.File("a.safetensors"));
        Assert.Contains("a link that leads to itself", Assert.Throws<FileNotFoundException>(() => Safetensors.Load(_folder.File("a.safetensors"))).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<FileNotFoundException>(() => Safetensors.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("U16", 2, 3, 12)]
    [InlineData("U32", 4, 3, 24)]
    [InlineData("U64", 8, 3, 48)]
    [InlineData("F8_E4M3", 1, 3, 6)]
    [InlineData("F8_E5M2", 1, 3, 6)]
    [InlineData("F8_E8M0", 1, 3, 6)]
    [InlineData("F4", 1, 3, 3)]
    [InlineData("F6_E2M3", 1, 4, 6)]
    [InlineData("F6_E3M2", 1, 4, 6)]
    public void Open_TypeThatTorchSharpLacks_ListsItAndReadsTheOthers(string type, int alignment, int columns, int bytes)
    {
        Assert.True(bytes % alignment == 0);
        var header = $$$"""{"a":{"dtype":"{{{type}}}","shape":[2,{{{columns}}}],"data_offsets":[0,{{{bytes}}}]},"b":{"dtype":"U8","shape":[2],"data_offsets":[{{{bytes}}},{{{bytes + 2}}}]}}""";
        var path = _folder.Write("a.safetensors", [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[bytes], 7, 9]);

        using (var file = SafetensorsFile.Open(path))
        {
            Assert.Equal($"{type} [2, {columns}]", Assert.Single(file.Unreadable, item => item.Key == "a").Value);
            Assert.Equal(["b"], file.Tensors.Keys);
            using var other = file.Read("b");
            Assert.Equal([7, 9], other.data<byte>().ToArray());
            var message = Assert.Throws<InvalidDataException>(() => file.Read("a")).Message;
            Assert.Contains($"tensor 'a' of the shape [2, {columns}] has the dtype '{type}'", message, StringComparison.Ordinal);
        }

        Assert.Contains($"'{type}', which TorchSharp does not have", Assert.Throws<InvalidDataException>(() => Safetensors.Load(path)).Message, StringComparison.Ordinal);
        Assert.Empty(Safetensors.ReadMetadata(path));
    }

    [Fact]
    public void Open_HalfABytesOfATypeOfFourBits_IsRefused()
    {
        const string header = """{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""";
        var path = _folder.Write("a.safetensors", [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), 0]);
        Assert.Contains("12 bits, which are no whole bytes", Assert.Throws<InvalidDataException>(() => Safetensors.ReadMetadata(path)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static byte[] Gzip()
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write("weights"u8);
        }

        return buffer.ToArray();
    }

    private static byte[] Tar()
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "model.safetensors") { DataStream = new MemoryStream([1, 2, 3]) });
        }

        return buffer.ToArray();
    }

    private static byte[] Zip()
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            archive.CreateEntry("readme.txt");
        }

        return buffer.ToArray();
    }
}
