using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The weights of a model on disk, whatever their format: a safetensors file, a PyTorch file (.pth, .pt, .bin), either of them in several shards with an
/// index, or a folder in the layout of diffusers that holds one of these. Nothing in such files is run.
/// </summary>
/// <remarks>Safetensors files are read tensor by tensor. A PyTorch file is read as a whole when it is opened, as its format asks for.</remarks>
public sealed class WeightFiles : IDisposable
{
    private readonly Dictionary<string, WeightShard> _shards;

    private WeightFiles(string path, IReadOnlyList<WeightShard> files, Dictionary<string, WeightShard> shards)
    {
        Path = path;
        Files = [.. files.Select(file => file.Path)];
        Format = files[0].Format;
        Metadata = files[0].Metadata;
        _shards = shards;
        Tensors = shards.ToDictionary(item => item.Key, item => item.Value.Tensors[item.Key], StringComparer.Ordinal);
    }

    /// <summary>The file that was opened: that of the weights, or their index.</summary>
    public string Path { get; }

    /// <summary>The files that hold the tensors: one, or the shards in ordinal order of their names.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The format of the files: <c>safetensors</c> or <c>PyTorch</c>.</summary>
    public string Format { get; }

    /// <summary>The text that goes with the tensors, of the first file. PyTorch files have none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The types and shapes of the tensors by their names.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Opens weights.</summary>
    /// <param name="path">
    /// A file, which is known by its extension or else by its content; an index, <c>*.index.json</c>; or a folder that holds a file with one of the names
    /// that diffusers uses, itself or in its folder <c>unet</c>. In a folder safetensors come before PyTorch files, one file before shards.
    /// </param>
    /// <param name="variant">In a folder, which weights: <c>fp16</c> for those of diffusion_pytorch_model.fp16.safetensors; <see langword="null"/> (default) for those without a variant.</param>
    /// <returns>The weights; the caller disposes them.</returns>
    /// <exception cref="FileNotFoundException">There is no such file, a shard is missing, or the folder has none of the names.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or refused, a shard would lie outside the folder, or the index and the shards
    /// disagree about a tensor; the message names the file and the reason.</exception>
    public static WeightFiles Open(string path, string? variant = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Directory.Exists(path) ? WeightFolder.Find(path, variant) : path;
        if (file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return OpenShards(file);
        }

        var shard = WeightShard.Open(file);
        return new WeightFiles(file, [shard], shard.Tensors.Keys.ToDictionary(name => name, _ => shard, StringComparer.Ordinal));
    }

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">A key of <see cref="Tensors"/>.</param>
    /// <returns>A tensor on the CPU that the caller, or the caller's dispose scope, owns. Tensors of a PyTorch file share memory with each other as they did when they were saved.</returns>
    /// <exception cref="KeyNotFoundException">There is no such tensor; the message names both.</exception>
    /// <exception cref="InvalidDataException">The file was cut off after it was opened, or has a bool that is neither 0 nor 1.</exception>
    public Tensor Read(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _shards.TryGetValue(name, out var shard) ? shard.Read(name) : throw new KeyNotFoundException($"'{Path}' has no tensor '{name}'.");
    }

    /// <summary>Reads all tensors.</summary>
    /// <returns>The tensors, on the CPU; the caller disposes them.</returns>
    /// <exception cref="InvalidDataException">As <see cref="Read"/>.</exception>
    public TensorDictionary Load()
    {
        using var scope = NewDisposeScope();
        return new TensorDictionary(Tensors.Keys.Select(name => KeyValuePair.Create(name, Read(name))));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in _shards.Values.Distinct())
        {
            shard.Dispose();
        }
    }

    private static WeightFiles OpenShards(string path)
    {
        var index = ShardIndex.Read(path);
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var opened = new Dictionary<string, WeightShard>(StringComparer.Ordinal);
        try
        {
            foreach (var name in index.Files.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                var shard = System.IO.Path.Combine(folder, name);
                opened.Add(name, File.Exists(shard) ? WeightShard.Open(shard) : throw new FileNotFoundException($"'{path}' refers to the shard '{name}', which is not there.", shard));
            }

            Check(path, index, opened);
            return new WeightFiles(path, [.. opened.Values], index.Files.ToDictionary(item => item.Key, item => opened[item.Value], StringComparer.Ordinal));
        }
        catch
        {
            foreach (var shard in opened.Values)
            {
                shard.Dispose();
            }

            throw;
        }
    }

    /// <summary>Index and shards must name the same tensors in the same places.</summary>
    private static void Check(string path, ShardIndex index, Dictionary<string, WeightShard> shards)
    {
        foreach (var (tensor, file) in index.Files)
        {
            if (!shards[file].Tensors.ContainsKey(tensor))
            {
                throw new InvalidDataException($"'{path}' has the tensor '{tensor}' in the shard '{file}', where it is not.");
            }
        }

        foreach (var (file, shard) in shards)
        {
            foreach (var tensor in shard.Tensors.Keys.Where(tensor => index.Files.GetValueOrDefault(tensor) != file))
            {
                throw new InvalidDataException(index.Files.TryGetValue(tensor, out var other)
                    ? $"'{path}' has the tensor '{tensor}' in the shard '{other}', and '{file}' has it, too."
                    : $"'{path}' does not list the tensor '{tensor}', which is in the shard '{file}'.");
            }
        }
    }
}
