using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Where the state dictionaries of networks lie in the value of a PyTorch file: dictionaries that hold tensors themselves. What optimizers, schedules and generators of
/// random numbers keep is told from them by its form, or by its key where the form says nothing.
/// </summary>
internal sealed class StateDictionaries
{
    private const char Separator = '/';
    private const int MaximumLength = 1_000_000;

    private readonly List<(string Path, int Count, NetworkLikeness Likeness)> _found = [];
    private readonly HashSet<string> _others = new(StringComparer.Ordinal);
    private readonly List<string> _path = [];
    private int _charactersLeft = MaximumLength;

    private StateDictionaries(object? root)
    {
        Visit(root);

        // Means and deviations, say, are tensors by name, too.
        var networks = _found.Where(item => item.Likeness > NetworkLikeness.None).ToList();
        Networks = [.. (networks.Count > 0 ? networks : Average is null ? _found : []).Select(item => (item.Path, item.Count))];
    }

    /// <summary>The paths and the numbers of tensors of those that may be a network's; the path of the root is empty.</summary>
    public IReadOnlyList<(string Path, int Count)> Networks { get; }

    /// <summary>The path of a list of tensors that is an average in diffusers, and has no names.</summary>
    public string? Average { get; private set; }

    /// <summary>Looks through a value of <see cref="PyTorchFile.Root"/>, which is known to be finite.</summary>
    /// <exception cref="InvalidDataException">The paths are longer than those of any checkpoint.</exception>
    public static StateDictionaries Of(object? root) => new(root);

    /// <summary>Whether a name lies within the dictionary of a path.</summary>
    public static bool IsWithin(string name, string path) => path.Length == 0 || (name.Length > path.Length && name[path.Length] == Separator && name.StartsWith(path, StringComparison.Ordinal));

    /// <summary>Whether a name lies within what an optimizer and the like keep.</summary>
    public bool IsOther(string name)
    {
        for (var end = name.IndexOf(Separator, StringComparison.Ordinal); end >= 0; end = name.IndexOf(Separator, end + 1))
        {
            if (_others.Contains(name[..end]))
            {
                return true;
            }
        }

        return _others.Contains("");
    }

    private void Visit(object? value)
    {
        if (value is IReadOnlyDictionary<string, object?> dictionary)
        {
            if (IsOptimizer(dictionary))
            {
                _others.Add(Path());
                return;
            }

            Visit(dictionary);
        }
        else if (value is IReadOnlyList<object?> list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                Visit(list[i], i.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>What torch.optim saves, and the same in one level as torch.distributed.checkpoint writes it.</summary>
    private static bool IsOptimizer(IReadOnlyDictionary<string, object?> dictionary) =>
        (dictionary.ContainsKey("param_groups") && dictionary.ContainsKey("state"))
        || (dictionary.Keys.Any(key => key.StartsWith("param_groups.", StringComparison.Ordinal)) && dictionary.Keys.Any(key => key.StartsWith("state.", StringComparison.Ordinal)));

    /// <summary>Of two dictionaries in each other, the outer one is the network's where it looks more like one; otherwise it keeps numbers beside the inner one.</summary>
    private void Visit(IReadOnlyDictionary<string, object?> dictionary)
    {
        var tensors = dictionary.Values.Count(item => item is Tensor);
        var likeness = Like(dictionary);
        var (before, others) = (_found.Count, _others.Count);
        foreach (var (key, item) in dictionary)
        {
            Visit(item, key);
        }

        // Beside an optimizer and counters, tensors of several dimensions without dots are samples and the like, and the network is in a dictionary of its own.
        var inner = _found.Skip(before).Select(item => item.Likeness).DefaultIfEmpty().Max();
        var isCheckpoint = _others.Count > others || dictionary.Values.Any(item => item is not (Tensor or IReadOnlyDictionary<string, object?> or IReadOnlyList<object?>));
        if (likeness == NetworkLikeness.Dots || (likeness == NetworkLikeness.Dimensions && inner < (isCheckpoint ? NetworkLikeness.Dimensions : NetworkLikeness.Dots)))
        {
            _found.RemoveRange(before, _found.Count - before);
        }

        if (tensors > 0 && _found.Count == before)
        {
            _found.Add((Path(), tensors, likeness));
        }
    }

    private static NetworkLikeness Like(IReadOnlyDictionary<string, object?> dictionary) => dictionary.Select(item =>
        item.Value is not Tensor tensor || tensor.dim() == 0 ? NetworkLikeness.None
        : item.Key.Contains('.', StringComparison.Ordinal) ? NetworkLikeness.Dots
        : tensor.dim() > 1 ? NetworkLikeness.Dimensions
        : NetworkLikeness.None).DefaultIfEmpty().Max();

    private void Visit(object? item, string key)
    {
        if (item is not (IReadOnlyDictionary<string, object?> or IReadOnlyList<object?>))
        {
            return;
        }

        _path.Add(key);
        if (key == "shadow_params" && item is IReadOnlyList<object?> average && average.Any(part => part is Tensor))
        {
            Average ??= Path();
        }
        else
        {
            VisitMeant(item, KeyWords.Of(key));
        }

        _path.RemoveAt(_path.Count - 1);
    }

    /// <summary>Looks through a value whose key may say that it is no network's: its form goes before the key, unless that is an optimizer's.</summary>
    private void VisitMeant(object item, KeyMeaning meaning)
    {
        var before = _found.Count;
        if (meaning != KeyMeaning.Optimizer)
        {
            Visit(item);
        }

        var needed = meaning == KeyMeaning.Other ? NetworkLikeness.Dots : NetworkLikeness.Dimensions;
        if (meaning == KeyMeaning.Optimizer || (meaning != KeyMeaning.Any && !_found.Skip(before).Any(found => found.Likeness >= needed)))
        {
            _found.RemoveRange(before, _found.Count - before);
            _others.Add(Path());
        }
    }

    private string Path()
    {
        var length = _path.Sum(part => part.Length + 1L);
        if (length > _charactersLeft)
        {
            throw new InvalidDataException("the keys of its dictionaries are longer than those of any checkpoint");
        }

        _charactersLeft -= (int)length;
        return string.Join(Separator, _path);
    }
}
