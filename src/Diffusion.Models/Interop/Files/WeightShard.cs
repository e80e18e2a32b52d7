using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>One file of weights, whichever format it has.</summary>
internal sealed class WeightShard : IDisposable
{
    private readonly IDisposable _file;
    private readonly Func<string, Tensor> _read;

    private WeightShard(
        string path, string format, IDisposable file, IReadOnlyDictionary<string, TensorInfo> tensors, IReadOnlyDictionary<string, string> metadata, Func<string, Tensor> read) =>
        (Path, Format, _file, Tensors, Metadata, _read) = (path, format, file, tensors, metadata, read);

    public string Path { get; }

    public string Format { get; }

    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file by its extension; where that says nothing, by what it begins with.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged or refused; the message names it and the reason.</exception>
    public static WeightShard Open(string path) => IsSafetensors(path) ? OpenSafetensors(path) : OpenPyTorch(path);

    public Tensor Read(string name) => _read(name);

    public void Dispose() => _file.Dispose();

    private static bool IsSafetensors(string path)
    {
        switch (System.IO.Path.GetExtension(path).ToUpperInvariant())
        {
            case ".SAFETENSORS":
                return true;
            case ".PTH" or ".PT" or ".BIN" or ".CKPT":
                return false;
        }

        // The length of a header, which is far below 2³², and the brace that it begins with.
        Span<byte> start = stackalloc byte[9];
        using var stream = File.OpenRead(path);
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start[8] == (byte)'{' && !start[4..8].ContainsAnyExcept((byte)0);
    }

    private static WeightShard OpenSafetensors(string path)
    {
        var file = SafetensorsFile.Open(path);
        return new WeightShard(path, "safetensors", file, file.Tensors, file.Metadata, file.Read);
    }

    private static WeightShard OpenPyTorch(string path)
    {
        var document = PyTorchFile.Load(path);
        if (Repeated(document.Tensors, new FileInfo(path).Length) is { } name)
        {
            document.Dispose();
            throw new InvalidDataException($"'{path}' has the tensor '{name}', which repeats its elements to more bytes than the file has; no network's weights do.");
        }

        var tensors = document.Tensors.ToDictionary(item => item.Key, item => new TensorInfo(item.Value.dtype, item.Value.shape), StringComparer.Ordinal);
        // Another handle of the same memory: what is read outlives this object, and nothing is copied.
        return new WeightShard(path, "PyTorch", document, tensors, new Dictionary<string, string>(), key => document.Tensors[key].alias());
    }

    /// <summary>A tensor that has strides of 0 and so takes no space here, but would in the memory of whoever copies it.</summary>
    private static string? Repeated(TensorDictionary tensors, long fileLength) =>
        tensors.FirstOrDefault(item => (Int128)item.Value.NumberOfElements * item.Value.ElementSize > fileLength).Key;
}
