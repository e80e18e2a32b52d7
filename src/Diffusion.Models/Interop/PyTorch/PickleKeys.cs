using System.Globalization;
using System.Runtime.CompilerServices;
using Dictionary = System.Collections.Generic.OrderedDictionary<string, object?>;

namespace Diffusion.Models;

/// <summary>
/// The keys of a pickle's dictionaries as text: text as it is, and other plain values as Python prints them. A key that has no such text, or that of another key
/// of its dictionary, is left out with its value, where these hold no tensors.
/// </summary>
internal sealed class PickleKeys(PickleReader reader)
{
    private readonly Dictionary<(Dictionary Dictionary, string Name), object?> _printed = new(Comparer.Instance);
    private readonly List<object?> _leftOut = []; // keys, and after each its value

    /// <exception cref="InvalidDataException">The key occurs twice, or is a dictionary, which Python never has as one.</exception>
    public void SetItem(Dictionary dictionary, object? key, object? value)
    {
        if (key is Dictionary)
        {
            throw new InvalidDataException("a key of a dictionary is a dictionary; a text, a number or a short tuple of these is needed");
        }

        if (PickleText.OfKey(key) is not { } name)
        {
            _leftOut.AddRange([key, value]);
        }
        else if (key is string && _printed.Remove((dictionary, name), out var other))
        {
            _leftOut.AddRange([other, dictionary[name]]);
            dictionary[name] = value;
        }
        else if (dictionary.TryAdd(name, value))
        {
            if (key is not string)
            {
                _printed.Add((dictionary, name), key);
            }
        }
        else if (key is string || _printed.ContainsKey((dictionary, name)))
        {
            throw new InvalidDataException($"a dictionary has the key '{name}' twice");
        }
        else
        {
            _leftOut.AddRange([key, value]);
        }
    }

    /// <summary>A dictionary with the same items.</summary>
    public Dictionary Copy(Dictionary from)
    {
        var copy = new Dictionary(from, StringComparer.Ordinal);
        foreach (var name in from.Keys)
        {
            if (_printed.TryGetValue((from, name), out var key))
            {
                _printed.Add((copy, name), key);
            }
        }

        return copy;
    }

    /// <summary>Looks through what was left out; at the end, since a pickle may fill a value after it has set it.</summary>
    /// <exception cref="InvalidDataException">There are tensors.</exception>
    public void ThrowIfTensorsAreLeftOut()
    {
        if (new PickleTensors(reader.Position).Find(_leftOut).Keys.FirstOrDefault() is { } path)
        {
            var key = _leftOut[int.Parse(path.Split(PickleTensors.Separator)[0], CultureInfo.InvariantCulture) & ~1];
            throw new InvalidDataException(PickleText.OfKey(key) is { } name
                ? $"a dictionary has the keys '{name}', a text, and {name}, {PickleText.Kind(key)}; the tensors under the second would have the same name"
                : $"a dictionary has tensors under a key that is {PickleText.Kind(key)}; a text, a number or a short tuple of these is needed");
        }
    }

    private sealed class Comparer : IEqualityComparer<(Dictionary Dictionary, string Name)>
    {
        public static Comparer Instance { get; } = new();

        public bool Equals((Dictionary Dictionary, string Name) x, (Dictionary Dictionary, string Name) y) => ReferenceEquals(x.Dictionary, y.Dictionary) && x.Name == y.Name;

        public int GetHashCode((Dictionary Dictionary, string Name) obj) => HashCode.Combine(RuntimeHelpers.GetHashCode(obj.Dictionary), obj.Name);
    }
}
