using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>One file of weights, whichever format it has.</summary>
internal sealed class WeightShard : IDisposable
{
    // Weights under several names, such as tied ones and a copy of all of them, are common; more is not.
    private const int SharedCopies = 16;

    private readonly IDisposable _file;
    private readonly Func<string, Tensor> _read;

    private WeightShard(string path, string format, IDisposable file, IReadOnlyDictionary<string, TensorInfo> tensors, Func<string, Tensor> read) =>
        (Path, Format, _file, Tensors, _read) = (path, format, file, tensors, read);

    public string Path { get; }

    public string Format { get; }

    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The types and shapes of the tensors that cannot be read, of types that TorchSharp lacks.</summary>
    public IReadOnlyDictionary<string, string> Unreadable { get; private init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Metadata { get; private init; } = new Dictionary<string, string>();

    /// <summary>The value of a PyTorch file; <see langword="null"/> of a safetensors file.</summary>
    public object? Root { get; private init; }

    /// <summary>Opens a file by what it begins with; where that says nothing, by its extension, so that the reader says what is wrong.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is something else, damaged or refused; the message names it and the reason.</exception>
    public static WeightShard Open(string path)
    {
        var content = FileContent.Of(path);
        return content.Kind switch
        {
            ContentKind.Safetensors => OpenSafetensors(path),
            ContentKind.Zip or ContentKind.Pickle => OpenPyTorch(path),
            ContentKind.Foreign or ContentKind.Json or ContentKind.ShardIndex => throw new InvalidDataException($"'{path}' holds no weights: it is {content.Description}."),
            _ => System.IO.Path.GetExtension(path).Equals(".safetensors", StringComparison.OrdinalIgnoreCase) ? OpenSafetensors(path) : OpenPyTorch(path),
        };
    }

    public Tensor Read(string name) => _read(name);

    public void Dispose() => _file.Dispose();

    private static WeightShard OpenSafetensors(string path)
    {
        var file = SafetensorsFile.Open(path);
        return new WeightShard(path, "safetensors", file, file.Tensors, file.Read) { Unreadable = file.Unreadable, Metadata = file.Metadata };
    }

    private static WeightShard OpenPyTorch(string path)
    {
        var document = PyTorchFile.Load(path);
        if (Repeated(document.Tensors, Length(path)) is { } name)
        {
            document.Dispose();
            throw new InvalidDataException($"'{path}' has the tensor '{name}', which repeats its elements to more bytes than the file has; no network's weights do.");
        }

        var tensors = document.Tensors.ToDictionary(item => item.Key, item => new TensorInfo(item.Value.dtype, item.Value.shape), StringComparer.Ordinal);
        // Another handle of the same memory: what is read outlives this object, and nothing is copied.
        return new WeightShard(path, "PyTorch", document, tensors, key => document.Tensors[key].alias()) { Root = document.Root };
    }

    private static long Length(string path)
    {
        using var stream = File.OpenRead(path); // a link's own length is another
        return stream.Length;
    }

    /// <summary>
    /// A tensor that takes little space here, since its elements repeat or are another's, and too much in the memory of whoever copies it: more than the file, or with those
    /// before it sixteen times as much.
    /// </summary>
    private static string? Repeated(TensorDictionary tensors, long fileLength)
    {
        Int128 bytesLeft = SharedCopies * (Int128)fileLength;
        return tensors.FirstOrDefault(item =>
        {
            var bytes = (Int128)item.Value.NumberOfElements * item.Value.ElementSize;
            return bytes > fileLength || (bytesLeft -= bytes) < 0;
        }).Key;
    }
}
