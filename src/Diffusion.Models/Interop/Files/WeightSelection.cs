using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The weights of one network among all that files hold: which tensors they are, and their names without what wraps them.</summary>
/// <param name="Names">The name in the file of each tensor, by the network's name.</param>
/// <param name="Taken">What was taken off or left out, as sentences.</param>
/// <param name="Seen">The same as what the file is like, where nothing was taken off yet.</param>
internal sealed record WeightSelection(IReadOnlyDictionary<string, string> Names, IReadOnlyList<string> Taken, IReadOnlyList<string> Seen)
{
    private const char Separator = '/';
    private const int FewNames = 10;

    /// <summary>All tensors under the names that they have.</summary>
    public static WeightSelection All(IEnumerable<string> names) => new(names.ToDictionary(name => name, name => name, StringComparer.Ordinal), [], []);

    /// <summary>The tensors whose names begin with a prefix, without it and without what wraps them; with an empty prefix all of them, as they are.</summary>
    /// <exception cref="ArgumentException">There are none; the message lists some of those that there are.</exception>
    /// <exception cref="InvalidDataException">There are no tensors at all, or two would have one name. The message does not name the file.</exception>
    public static WeightSelection Of(IReadOnlyList<string> names, string prefix)
    {
        if (prefix.Length == 0)
        {
            return names.Count > 0 ? All(names) : throw new InvalidDataException("it has no tensors");
        }

        var taken = names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        return taken.Count > 0
            ? TakeOff(taken, prefix, names.Except(taken, StringComparer.Ordinal).ToList())
            : throw new ArgumentException($"No tensor begins with '{prefix}'; there are {string.Join(", ", names.Take(FewNames))}{(names.Count > FewNames ? $" and {names.Count - FewNames} more" : "")}.", nameof(prefix));
    }

    /// <summary>The network's tensors where the value of a PyTorch file says which they are.</summary>
    /// <param name="names">All names.</param>
    /// <param name="root">The value of a PyTorch file; <see langword="null"/> where there is none.</param>
    /// <exception cref="InvalidDataException">There are several networks, or none, or a list without names. The message does not name the file.</exception>
    public static WeightSelection Of(IReadOnlyList<string> names, object? root)
    {
        if (names.Count == 0)
        {
            throw new InvalidDataException("it has no tensors");
        }

        if (root is not (IReadOnlyDictionary<string, object?> or IReadOnlyList<object?>))
        {
            return TakeOff(names, "", []);
        }

        var dictionaries = StateDictionaries.Of(root);
        var networks = dictionaries.Networks;
        if (networks.Count > 1)
        {
            throw Several(networks);
        }

        if (networks.Count == 0)
        {
            return None(names, dictionaries);
        }

        var path = networks[0].Path;
        var taken = names.Where(name => StateDictionaries.IsWithin(name, path) && !dictionaries.IsOther(name)).ToList();
        return TakeOff(taken, path.Length == 0 ? "" : path + Separator, names.Except(taken, StringComparer.Ordinal).ToList());
    }

    private static InvalidDataException Several(IReadOnlyList<(string Path, int Count)> networks)
    {
        var more = networks.Count > FewNames ? $" and {networks.Count - FewNames} more" : "";
        return new InvalidDataException(
            $"it holds the weights of several networks: {string.Join(", ", networks.Take(FewNames).Select(item => $"'{item.Path}' ({item.Count} tensors)"))}{more}. "
            + $"Choose one by the prefix of its names: {string.Join(" or ", networks.Take(FewNames).Select(item => $"--prefix {item.Path}{Separator}"))}, or --prefix \"\" for all of them");
    }

    private static WeightSelection None(IReadOnlyList<string> names, StateDictionaries dictionaries) =>
        dictionaries.Average is { } average ? throw new InvalidDataException(
            $"it holds an average of weights as a list, '{average}', as EMAModel of diffusers saves its state: the names of the weights are not in it. Take the network that save_pretrained writes of it (a folder unet_ema), "
            + "or write it with Python: ema.copy_to(unet.parameters()), unet.save_pretrained(\"FOLDER\")")
        : names.Count > 0 && names.All(dictionaries.IsOther) ? throw new InvalidDataException(
            $"it holds no weights of a network but the state of an optimizer or the like: {Counts(names)}")
        : TakeOff(names, "", []);

    private static WeightSelection TakeOff(IReadOnlyList<string> taken, string prefix, List<string> others)
    {
        var (names, found) = NameWrappers.TakeOff(taken.Select(name => name[prefix.Length..]));
        var (done, seen) = (new List<string>(), new List<string>());
        if (others.Count > 0)
        {
            done.Add($"Taken are the {taken.Count} tensors {Where(prefix)}; left out are {Counts(others)}.");
            seen.Add($"The weights are the {taken.Count} tensors {Where(prefix)}; convert leaves out {Counts(others)}.");
        }
        else if (prefix.Length > 0)
        {
            done.Add($"Taken off: '{prefix}' before all names.");
            seen.Add($"Before all names is '{prefix}'; convert takes it off.");
        }

        done.AddRange(found.Select(part => $"Taken off: {part}."));
        seen.AddRange(found.Select(part => $"There is {part}; convert takes it off."));
        return new WeightSelection(names.ToDictionary(item => item.Value, item => prefix + item.Key, StringComparer.Ordinal), done, seen);
    }

    private static string Where(string prefix) => prefix.Length == 0 ? "at the top" : $"under '{prefix}'";

    private static string Counts(IReadOnlyList<string> names)
    {
        var groups = names.GroupBy(name => name.Split(name.Contains(Separator, StringComparison.Ordinal) ? Separator : '.')[0], StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Count()} of '{group.Key}'").ToList();
        return string.Join(", ", groups.Take(FewNames)) + (groups.Count > FewNames ? $" and of {groups.Count - FewNames} more" : "");
    }
}
