using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Finds the tensors in a value of a pickle, and their names: keys and positions joined by a slash.</summary>
/// <param name="pickleLength">
/// The length of the pickle in bytes. An opcode makes one value at most, but lists that hold each other many times have exponentially many paths, and a key that is
/// recalled with two bytes is written out in the name of each tensor below it: values, names and their characters are bounded in proportion.
/// </param>
internal sealed class PickleTensors(long pickleLength)
{
    /// <summary>Between the parts of a path.</summary>
    public const char Separator = '/';

    private const int MaximumDepth = 100;

    private readonly OrderedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<string> _path = [];
    private long _visitsLeft = 1000 + (16 * pickleLength);
    private long _charactersLeft = PickleBudget.MaximumNameLength(pickleLength);

    /// <summary>The tensors in the order in which they are met.</summary>
    /// <exception cref="InvalidDataException">The value holds itself, the same values too often, or something other than tensors and plain values.</exception>
    public IReadOnlyDictionary<string, Tensor> Find(object? root)
    {
        Visit(root);
        return _tensors;
    }

    private void Visit(object? value)
    {
        if (_path.Count > MaximumDepth)
        {
            throw new InvalidDataException($"its values are nested deeper than {MaximumDepth}, or one holds itself");
        }

        if (--_visitsLeft < 0)
        {
            throw new InvalidDataException("its lists or dictionaries hold each other too many times");
        }

        switch (value)
        {
            case Tensor tensor:
                Add(tensor);
                break;
            case IReadOnlyDictionary<string, object?> dictionary:
                foreach (var (key, item) in dictionary)
                {
                    Visit(key, item);
                }

                break;
            case IReadOnlyList<object?> list:
                for (var i = 0; i < list.Count; i++)
                {
                    // Long lists of numbers are common: their elements need no name.
                    var isPlain = list[i] is long or double or string or bool or null;
                    Visit(isPlain ? "" : i.ToString(CultureInfo.InvariantCulture), list[i]);
                }

                break;
            case null or bool or long or BigInteger or double or string or byte[] or Complex:
                break;
            default:
                throw new InvalidDataException($"it has a {value} that belongs to no tensor at '{Name()}'");
        }
    }

    private void Visit(string key, object? item)
    {
        _path.Add(key);
        Visit(item);
        _path.RemoveAt(_path.Count - 1);
    }

    private void Add(Tensor tensor)
    {
        if (_tensors.Count >= PickleBudget.MaximumNames(pickleLength))
        {
            throw new InvalidDataException($"it names over {_tensors.Count} tensors, the same ones again and again");
        }

        if (!_tensors.TryAdd(Name(), tensor))
        {
            throw new InvalidDataException($"two of its tensors have the path '{Name()}'");
        }
    }

    private string Name()
    {
        _charactersLeft -= _path.Sum(part => part.Length + 1L);
        return _charactersLeft >= 0 ? string.Join(Separator, _path) : throw new InvalidDataException("the names of its tensors are far longer than itself");
    }
}
