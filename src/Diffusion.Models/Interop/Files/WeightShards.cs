namespace Diffusion.Models;

/// <summary>Opens the shards of an index.</summary>
internal static class WeightShards
{
    /// <summary>Opens all of them.</summary>
    /// <param name="path">The index.</param>
    /// <returns>The shards in ordinal order of their names, and the shard of each tensor.</returns>
    /// <exception cref="FileNotFoundException">There is no such index, or shards are missing; the message names them.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or refused, or index and shards disagree.</exception>
    public static (IReadOnlyList<WeightShard> Files, Dictionary<string, WeightShard> Shards) Open(string path)
    {
        var index = ShardIndex.Read(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var names = index.Files.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var missing = names.Where(name => !File.Exists(Path.Combine(folder, name))).ToList();
        if (missing.Count > 0)
        {
            throw new FileNotFoundException(
                $"'{path}' refers to {(missing.Count == 1 ? "the shard" : $"{missing.Count} shards,")} '{string.Join("', '", missing)}', which {(missing.Count == 1 ? "is" : "are")} not there.", Path.Combine(folder, missing[0]));
        }

        var opened = new Dictionary<string, WeightShard>(StringComparer.Ordinal);
        try
        {
            foreach (var name in names)
            {
                opened.Add(name, WeightShard.Open(Path.Combine(folder, name)));
            }

            Check(path, index, opened);
            return ([.. opened.Values], index.Files.ToDictionary(item => item.Key, item => opened[item.Value], StringComparer.Ordinal));
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
            if (!shards[file].Tensors.ContainsKey(tensor) && !shards[file].Unreadable.ContainsKey(tensor))
            {
                throw new InvalidDataException($"'{path}' has the tensor '{tensor}' in the shard '{file}', where it is not.");
            }
        }

        foreach (var (file, shard) in shards)
        {
            foreach (var tensor in shard.Tensors.Keys.Concat(shard.Unreadable.Keys).Where(tensor => index.Files.GetValueOrDefault(tensor) != file))
            {
                throw new InvalidDataException(index.Files.TryGetValue(tensor, out var other)
                    ? $"'{path}' has the tensor '{tensor}' in the shard '{other}', and '{file}' has it, too."
                    : $"'{path}' does not list the tensor '{tensor}', which is in the shard '{file}'.");
            }
        }
    }
}
