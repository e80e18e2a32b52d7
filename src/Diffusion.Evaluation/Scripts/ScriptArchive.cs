using System.IO.Compression;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>A TorchScript file: a ZIP archive with the code of a network and its tensors.</summary>
internal sealed class ScriptArchive
{
    private const long LongestCode = 64 << 20;

    private readonly byte[]? _changed;

    private ScriptArchive(string path, byte[]? changed) => (Path, _changed) = (path, changed);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Checks a file, and takes out of it what libtorch cannot compile.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is something else, or libtorch lacks an operator that its code needs.</exception>
    public static ScriptArchive Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileContent.Of(path) is { Kind: not ContentKind.Zip })
        {
            throw new InvalidDataException($"'{path}' is no TorchScript file: {FileContent.Refusal(path, "it is no ZIP archive, which those are", ContentKind.Zip)}");
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            using var archive = new ZipArchive(file, ZipArchiveMode.Read);
            return new ScriptArchive(path, Changed(archive, path));
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith($"'{path}'", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{path}' is a damaged TorchScript file: {e.Message}", e);
        }
    }

    /// <summary>Compiles the network, for the caller to dispose.</summary>
    public jit.ScriptModule Load() => _changed is null ? jit.load(Path, DeviceType.CPU, -1) : jit.load(_changed, DeviceType.CPU, -1);

    private static byte[]? Changed(ZipArchive archive, string path)
    {
        var code = archive.Entries.Where(entry => entry.FullName.EndsWith(".py", StringComparison.Ordinal) && entry.FullName.Contains("/code/", StringComparison.Ordinal)).ToDictionary(entry => entry.FullName, Text);
        if (code.Count == 0 || !archive.Entries.Any(entry => entry.FullName.EndsWith("/constants.pkl", StringComparison.Ordinal)))
        {
            throw new InvalidDataException($"'{path}' is no TorchScript file: the archive has no code of a network. Weights alone, as torch.save writes them, do not say what is computed: save torch.jit.script(network) or torch.jit.trace(network, example).");
        }

        var missing = ScriptOperators.Missing(code.Values.SelectMany(ScriptCode.Calls).Select(call => call.Operator));
        return missing.Count == 0 ? null : Rewritten(archive, code, missing, path);
    }

    private static byte[] Rewritten(ZipArchive archive, Dictionary<string, string> code, IReadOnlySet<string> missing, string path)
    {
        using var memory = new MemoryStream();
        using (var copy = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var entry in archive.Entries.Where(entry => !entry.FullName.EndsWith(".debug_pkl", StringComparison.Ordinal))) // places in the code, which are others now
            {
                using var target = copy.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                if (code.TryGetValue(entry.FullName, out var text))
                {
                    target.Write(Encoding.UTF8.GetBytes(Without(text, missing, path)));
                }
                else
                {
                    using var source = entry.Open();
                    source.CopyTo(target);
                }
            }
        }

        return memory.ToArray();
    }

    private static string Without(string code, IReadOnlySet<string> missing, string path) =>
        ScriptCode.Without(code, missing, name => $"{Lacks(name)}, which this call of the network reaches")
        ?? throw new InvalidDataException($"'{path}' cannot be compiled: {Lacks(string.Join(", ", missing.Order(StringComparer.Ordinal)))}. Save the network with PyTorch {torch.__version__}, or without this operator.");

    private static string Lacks(string operators) => $"libtorch {torch.__version__} lacks {operators}";

    private static string Text(ZipArchiveEntry entry)
    {
        if (entry.Length > LongestCode)
        {
            throw new InvalidDataException($"its code {entry.FullName} has {entry.Length} bytes; {LongestCode} are the most");
        }

        using var reader = new StreamReader(entry.Open(), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
