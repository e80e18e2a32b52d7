namespace Diffusion;

/// <summary>Formats that are given for weights and are none that can be read, by their first bytes.</summary>
internal static class FileSignatures
{
    private const string Unpack = "unpack it, and give what it holds";
    private const string Convert = "it is not read here; convert it to safetensors where it comes from";

    private static readonly (byte[] Start, int At, string Description)[] s_signatures =
    [
        ([0x1F, 0x8B], 0, $"a gzip archive: {Unpack}"),
        ([.. "BZh"u8], 0, $"a bzip2 archive: {Unpack}"),
        ([0xFD, .. "7zXZ"u8, 0], 0, $"an xz archive: {Unpack}"),
        ([0x28, 0xB5, 0x2F, 0xFD], 0, $"a Zstandard archive: {Unpack}"),
        ([.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], 0, $"a 7-Zip archive: {Unpack}"),
        ([.. "Rar!"u8, 0x1A, 0x07], 0, $"a RAR archive: {Unpack}"),
        ([.. "ustar"u8], 257, $"a tar archive: {Unpack}; if it is an early file of torch.save, load it in Python and save it again"),
        ([.. "GGUF"u8], 0, $"a GGUF file of llama.cpp: {Convert}"),
        ([.. "lmgg"u8], 0, $"a GGML file of llama.cpp: {Convert}"),
        ([.. "tjgg"u8], 0, $"a GGML file of llama.cpp: {Convert}"),
        ([0x89, .. "HDF\r\n"u8, 0x1A, (byte)'\n'], 0, $"an HDF5 file, as Keras writes them: {Convert}"),
        ([0x93, .. "NUMPY"u8], 0, $"an array of NumPy (.npy), which has no names: {Convert}"),
        ([.. "TFL3"u8], 4, $"a network of TensorFlow Lite: {Convert}"),
        ([0x89, .. "PNG"u8], 0, "a PNG image and no weights"),
        ([0xFF, 0xD8, 0xFF], 0, "a JPEG image and no weights"),
        ([.. "%PDF"u8], 0, "a PDF document and no weights"),
        ([.. "MZ"u8], 0, "a Windows program and no weights"),
        ([0x7F, .. "ELF"u8], 0, "a program and no weights"),
    ];

    private static readonly (string Extension, string Description)[] s_extensions =
    [
        (".onnx", $"by its name an ONNX network: {Convert}"),
        (".h5", $"by its name weights of Keras: {Convert}"),
        (".keras", $"by its name a network of Keras: {Convert}"),
        (".pb", $"by its name a network of TensorFlow: {Convert}"),
        (".tflite", $"by its name a network of TensorFlow Lite: {Convert}"),
        (".msgpack", $"by its name weights of Flax: {Convert}"),
        (".gguf", $"by its name weights of llama.cpp: {Convert}"),
    ];

    /// <summary>What a file is that begins like this, and what to do; <see langword="null"/> where nothing is known.</summary>
    public static string? Find(ReadOnlySpan<byte> start)
    {
        foreach (var (signature, at, description) in s_signatures)
        {
            if (start.Length >= at + signature.Length && start.Slice(at, signature.Length).SequenceEqual(signature))
            {
                return description;
            }
        }

        return IsOnnx(start) ? $"an ONNX network: {Convert}" : null;
    }

    /// <summary>What the name says of a file whose content is not known.</summary>
    public static string? ByExtension(string path) =>
        s_extensions.FirstOrDefault(item => item.Extension.Equals(Path.GetExtension(path), StringComparison.OrdinalIgnoreCase)).Description;

    // A message of Protocol Buffers: field 1 is a small version, field 2 the name of what wrote it.
    private static bool IsOnnx(ReadOnlySpan<byte> start) =>
        start is [0x08, >= 1 and < 32, 0x12, > 0 and < 100 and var length, ..] && start.Length > 4 + length && !start.Slice(4, length).ContainsAnyExceptInRange((byte)' ', (byte)'~');
}
