using System.Globalization;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Where the state dictionaries of networks lie in the value of a PyTorch file: dictionaries that hold tensors themselves. What optimizers, schedules and generators of
/// random numbers keep is told from them by its form or its key.
/// </summary>
internal sealed partial class StateDictionaries
{
    private const char Separator = '/';

    // A network's weights have the dots of modules in modules in their names, or more than one dimension.
    private readonly List<(string Path, int Count, bool IsNetwork)> _found = [];
    private readonly List<string> _others = [];

    private StateDictionaries(object? root) => Visit(root, "");

    /// <summary>The paths and the numbers of tensors of those that may be a network's; the path of the root is empty.</summary>
    public IReadOnlyList<(string Path, int Count)> Networks { get; private set; } = [];

    /// <summary>The paths of optimizers and the like.</summary>
    public IReadOnlyList<string> Others => _others;

    /// <summary>The path of a list of tensors that is an average in diffusers, and has no names.</summary>
    public string? Average { get; private set; }

    /// <summary>Looks through a value of <see cref="PyTorchFile.Root"/>, which is known to be finite.</summary>
    public static StateDictionaries Of(object? root)
    {
        var all = new StateDictionaries(root);

        // Of two dictionaries in each other, the outer one is the network's where it looks like one; otherwise it keeps numbers beside the inner one.
        var found = all._found.Where(item => !all._found.Exists(outer => outer.IsNetwork && IsWithin(item.Path, outer.Path))).ToList();
        found = [.. found.Where(item => item.IsNetwork || !found.Exists(inner => IsWithin(inner.Path, item.Path)))];

        // Means and deviations, say, are tensors by name, too.
        all.Networks = [.. (found.Exists(item => item.IsNetwork) ? found.Where(item => item.IsNetwork) : found).Select(item => (item.Path, item.Count))];
        return all;
    }

    /// <summary>Whether a name or path lies within the dictionary of a path.</summary>
    public static bool IsWithin(string name, string path) => path.Length == 0 ? name.Length > 0 : name.Length > path.Length && name[path.Length] == Separator && name.StartsWith(path, StringComparison.Ordinal);

    private void Visit(object? value, string path)
    {
        if (value is IReadOnlyDictionary<string, object?> dictionary)
        {
            if (dictionary.ContainsKey("param_groups") && dictionary.ContainsKey("state"))
            {
                _others.Add(path);
                return;
            }

            if (dictionary.Values.Count(item => item is Tensor) is > 0 and var count)
            {
                _found.Add((path, count, dictionary.Any(item => item.Value is Tensor tensor && (item.Key.Contains('.', StringComparison.Ordinal) || tensor.dim() > 1))));
            }

            foreach (var (key, item) in dictionary)
            {
                Visit(item, key, path);
            }
        }
        else if (value is IReadOnlyList<object?> list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                Visit(list[i], i.ToString(CultureInfo.InvariantCulture), path);
            }
        }
    }

    private void Visit(object? item, string key, string path)
    {
        if (item is not (IReadOnlyDictionary<string, object?> or IReadOnlyList<object?>))
        {
            return;
        }

        var inner = path.Length == 0 ? key : $"{path}{Separator}{key}";
        if (key == "shadow_params" && item is IReadOnlyList<object?> average && average.Any(part => part is Tensor))
        {
            Average ??= inner;
        }
        else if (OtherKeys().IsMatch(key))
        {
            _others.Add(inner);
        }
        else
        {
            Visit(item, inner);
        }
    }

    [GeneratedRegex("^(optim.*|.*optimizer.*|opt|opt_.*|.*scheduler.*|scaler|grad_scaler|.*rng.*|random.*|.*sampler.*|dataloader.*|loss.*|metrics?|callbacks|loops|hparams|hyper_parameters|arg.*|cfg|config)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OtherKeys();
}
