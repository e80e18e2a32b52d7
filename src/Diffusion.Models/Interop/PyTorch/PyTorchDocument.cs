using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>What a PyTorch file holds. Owns its tensors.</summary>
internal sealed class PyTorchDocument : IDisposable
{
    private const int MaximumDepth = 100;
    private const char Separator = '/';

    private readonly OrderedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private long _visitsLeft;

    /// <param name="root">A value that the unpickler built.</param>
    /// <param name="maximumVisits">How many values may be met by following every path: lists that hold each other many times have exponentially many.</param>
    /// <exception cref="InvalidDataException">It holds itself, or something other than tensors and plain values.</exception>
    internal PyTorchDocument(object? root, long maximumVisits)
    {
        Root = root;
        _visitsLeft = maximumVisits;
        Visit(root, "", 0);
        Tensors = new TensorDictionary(_tensors);
    }

    /// <summary>
    /// The saved value: <see cref="IReadOnlyDictionary{TKey, TValue}"/> of <see cref="string"/> and <see cref="object"/> for a dictionary, whose integer keys are
    /// written in decimal; <see cref="IReadOnlyList{T}"/> of <see cref="object"/> for a list, a tuple or a <c>torch.Size</c>; a <see cref="Tensor"/>;
    /// <see cref="string"/> for text or a <c>torch.device</c>; <see cref="long"/>, or <see cref="BigInteger"/> where it does not fit; <see cref="double"/>;
    /// <see cref="bool"/>; or <see langword="null"/>.
    /// </summary>
    public object? Root { get; }

    /// <summary>All tensors by their path: keys and positions joined by <c>/</c>. The same tensor may have several.</summary>
    public TensorDictionary Tensors { get; }

    /// <summary>A value inside <see cref="Root"/>.</summary>
    /// <param name="path">Keys and positions joined by <c>/</c>, for example <c>optimizer/param_groups/0/lr</c>. A key that has a <c>/</c> itself cannot be reached.</param>
    /// <exception cref="KeyNotFoundException">There is nothing there; the message names the part that is missing.</exception>
    public object? this[string path]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(path);
            var value = Root;
            foreach (var part in path.Split(Separator))
            {
                value = value switch
                {
                    IReadOnlyDictionary<string, object?> dictionary when dictionary.TryGetValue(part, out var item) => item,
                    IReadOnlyList<object?> list when int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Count
                        => list[index],
                    _ => throw new KeyNotFoundException($"There is no '{part}' of '{path}'."),
                };
            }

            return value;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Tensors.Dispose();

    private void Visit(object? value, string path, int depth)
    {
        if (depth > MaximumDepth)
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
                if (!_tensors.TryAdd(path, tensor))
                {
                    throw new InvalidDataException($"two of its tensors have the path '{path}'");
                }

                break;
            case IReadOnlyDictionary<string, object?> dictionary:
                foreach (var (key, item) in dictionary)
                {
                    Visit(item, Join(path, key, depth), depth + 1);
                }

                break;
            case IReadOnlyList<object?> list:
                for (var i = 0; i < list.Count; i++)
                {
                    // Long lists of numbers are common: their elements need no path.
                    var isPlain = list[i] is long or double or string or bool or null;
                    Visit(list[i], isPlain ? path : Join(path, i.ToString(CultureInfo.InvariantCulture), depth), depth + 1);
                }

                break;
            case null or bool or long or BigInteger or double or string:
                break;
            default:
                throw new InvalidDataException($"it has a {value} that belongs to no tensor at '{path}'");
        }
    }

    private static string Join(string path, string key, int depth) => depth == 0 ? key : $"{path}{Separator}{key}";
}
