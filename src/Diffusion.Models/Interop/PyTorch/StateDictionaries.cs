using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Where the state dictionaries of networks lie in the value of a PyTorch file: dictionaries that hold tensors themselves. What optimizers, schedules and generators of
/// random numbers keep is told from them by its form or its key.
/// </summary>
internal sealed class StateDictionaries
{
    private const char Separator = '/';
    private const int MaximumLength = 1_000_000;

    // Keys under which training scripts keep what is no network's.
    private static readonly string[] s_keys = ["opt", "scaler", "grad_scaler", "metric", "metrics", "callbacks", "loops", "hparams", "hyper_parameters", "cfg", "config"];
    private static readonly string[] s_starts = ["optim", "opt_", "random", "dataloader", "loss", "arg"];
    private static readonly string[] s_parts = ["optimizer", "scheduler", "rng", "sampler"];

    private readonly List<(string Path, int Count, bool IsNetwork)> _found = [];
    private readonly HashSet<string> _others = new(StringComparer.Ordinal);
    private readonly List<string> _path = [];
    private int _charactersLeft = MaximumLength;

    private StateDictionaries(object? root)
    {
        Visit(root);

        // Means and deviations, say, are tensors by name, too.
        Networks = [.. (_found.Exists(item => item.IsNetwork) ? _found.Where(item => item.IsNetwork) : _found).Select(item => (item.Path, item.Count))];
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
            if (dictionary.ContainsKey("param_groups") && dictionary.ContainsKey("state"))
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

    /// <summary>Of two dictionaries in each other, the outer one is the network's where it looks like one; otherwise it keeps numbers beside the inner one.</summary>
    private void Visit(IReadOnlyDictionary<string, object?> dictionary)
    {
        // A network's weights have the dots of modules in modules in their names, or more than one dimension.
        var tensors = dictionary.Values.Count(item => item is Tensor);
        var isNetwork = dictionary.Any(item => item.Value is Tensor tensor && (item.Key.Contains('.', StringComparison.Ordinal) || tensor.dim() > 1));
        var before = _found.Count;
        foreach (var (key, item) in dictionary)
        {
            Visit(item, key);
        }

        if (isNetwork)
        {
            _found.RemoveRange(before, _found.Count - before);
        }

        if (tensors > 0 && _found.Count == before)
        {
            _found.Add((Path(), tensors, isNetwork));
        }
    }

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
        else if (IsOtherKey(key))
        {
            _others.Add(Path());
        }
        else
        {
            Visit(item);
        }

        _path.RemoveAt(_path.Count - 1);
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

    private static bool IsOtherKey(string key) =>
        s_keys.Contains(key, StringComparer.OrdinalIgnoreCase)
        || s_starts.Any(start => key.StartsWith(start, StringComparison.OrdinalIgnoreCase))
        || s_parts.Any(part => key.Contains(part, StringComparison.OrdinalIgnoreCase));
}
