namespace Diffusion.Models;

/// <summary>What other tools put into the names of a network's weights, and no network of its own has.</summary>
internal static class NameWrappers
{
    private const string Module = "module";
    private const string Counter = "n_averaged";
    private const int MaximumDepth = 4;

    /// <summary>Parts of names, and who puts them there, also within a name where a part of a network is wrapped.</summary>
    private static readonly (string Part, string Of)[] s_parts =
    [
        ("_orig_mod", "torch.compile"), ("_fsdp_wrapped_module", "FullyShardedDataParallel"), ("_checkpoint_wrapped_module", "activation checkpointing"),
    ];

    /// <summary>Takes the parts off.</summary>
    /// <param name="names">Names of a network's weights.</param>
    /// <returns>The name that is left for each of them, without those that are no weights; and a clause for each kind of part.</returns>
    /// <exception cref="InvalidDataException">Two of them would have one name.</exception>
    public static (IReadOnlyDictionary<string, string> Names, IReadOnlyList<string> Found) TakeOff(IEnumerable<string> names)
    {
        var left = names.ToDictionary(name => name, name => name, StringComparer.Ordinal);
        var found = new List<string>();
        foreach (var (part, of) in s_parts)
        {
            var wrapped = left.Where(item => Has(item.Value, part)).Select(item => item.Key).ToList();
            wrapped.ForEach(name => left[name] = Without(left[name], part));
            if (wrapped.Count > 0)
            {
                found.Add($"'{part}.' of {of} in {wrapped.Count} names");
            }
        }

        // The part "module" is a usual name, too: it is a wrapper's where everything is in it, but the counter of an average.
        for (var i = 0; i < MaximumDepth && left.Values.Any(name => name != Counter) && left.Values.All(name => name == Counter || name.StartsWith(Module + ".", StringComparison.Ordinal)); i++)
        {
            found.Add($"'{Module}.' of DataParallel, or of an average, before all names{(left.Remove(Counter) ? $", and its counter '{Counter}'" : "")}");
            foreach (var name in left.Keys.ToList())
            {
                left[name] = left[name][(Module.Length + 1)..];
            }
        }

        return left.GroupBy(item => item.Value, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { } twice
            ? throw new InvalidDataException($"without the parts that wrappers put into names, two tensors would be called '{twice.Key}': '{string.Join("', '", twice.Select(item => item.Key))}'")
            : (left, found);
    }

    private static bool Has(string name, string part) => name.Contains(part + ".", StringComparison.Ordinal) && name.Split('.').SkipLast(1).Contains(part);

    private static string Without(string name, string part)
    {
        var parts = name.Split('.');
        return string.Join('.', parts.SkipLast(1).Where(item => item != part).Append(parts[^1]));
    }
}
