namespace Diffusion.Models;

/// <summary>Files of weights that are open: all their tensors under the names that they have.</summary>
/// <param name="Path">The file that was opened: that of the weights, or their index.</param>
/// <param name="Files">The files that hold the tensors.</param>
/// <param name="Shards">The file of each tensor.</param>
/// <param name="Notes">What was not read, as sentences.</param>
internal sealed record OpenedWeights(string Path, IReadOnlyList<WeightShard> Files, IReadOnlyDictionary<string, WeightShard> Shards, IReadOnlyList<string> Notes) : IDisposable
{
    /// <exception cref="ArgumentException">There is a variant with a file, or it is no part of a file's name.</exception>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is something else, damaged or refused.</exception>
    public static OpenedWeights Open(string path, string? variant)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var isFolder = Directory.Exists(path);
        if (variant is not null && (!isFolder || variant.Length == 0 || variant.AsSpan().IndexOfAny("/\\:\0") >= 0))
        {
            throw new ArgumentException(isFolder ? $"A variant is a part of a file's name, such as fp16; it is '{variant}'." : $"A variant is looked for in a folder; '{path}' is a file: give it without the variant '{variant}'.", nameof(variant));
        }

        var (file, notes) = isFolder ? WeightFolder.Find(path, variant) : (path, []);
        if (IsIndex(file))
        {
            var (files, shards) = WeightShards.Open(file);
            return new OpenedWeights(file, files, shards, notes);
        }

        var shard = WeightShard.Open(file);
        return new OpenedWeights(file, [shard], shard.Tensors.Keys.Concat(shard.Unreadable.Keys).ToDictionary(name => name, _ => shard, StringComparer.Ordinal), notes);
    }

    /// <summary>The weights of one network.</summary>
    /// <param name="prefix">What their names begin with; <see langword="null"/> to find it.</param>
    /// <exception cref="ArgumentException">No name begins with the prefix.</exception>
    /// <exception cref="InvalidDataException">It cannot be said which these are; the message names the file.</exception>
    public WeightSelection Select(string? prefix)
    {
        string[] names = [.. Shards.Keys];
        try
        {
            return prefix is null ? WeightSelection.Of(names, Files.Count == 1 ? Files[0].Root : null) : WeightSelection.Of(names, prefix);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"'{Path}' cannot be used as the weights of a network: {exception.Message}.", exception);
        }
    }

    public void Dispose()
    {
        foreach (var file in Files)
        {
            file.Dispose();
        }
    }

    private static bool IsIndex(string file) => FileContent.Of(file).Kind switch
    {
        ContentKind.ShardIndex => true,
        ContentKind.Safetensors or ContentKind.Zip or ContentKind.Pickle => false,
        _ => file.EndsWith(".json", StringComparison.OrdinalIgnoreCase),
    };
}
