using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Files of Python's <c>torch.save</c> (.pth, .pt, .bin): the zip format and the older one without. Such a file holds a pickle, a program that could call
/// any Python function; here it can build tensors, dictionaries, lists, tuples, text and numbers, and a file that names anything else is refused. It owns its tensors.
/// </summary>
/// <remarks>
/// Formats: the documentation of Python's <c>pickletools</c> (protocols 2 to 5), and <c>torch.serialization</c> of PyTorch 1.13.
/// Unlike there, checksums are not compared, compressed records are not read, and files of big-endian machines are refused.
/// </remarks>
public sealed class PyTorchFile : IDisposable
{
    private const int MaximumDepth = 100;
    private const char Separator = '/';

    private readonly OrderedDictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private long _visitsLeft;

    /// <param name="root">A value that the unpickler built.</param>
    /// <param name="maximumVisits">How many values may be met by following every path: lists that hold each other many times have exponentially many.</param>
    /// <exception cref="InvalidDataException">It holds itself, or something other than tensors and plain values.</exception>
    internal PyTorchFile(object? root, long maximumVisits)
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

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>What was saved; the caller disposes it. All tensors are on the CPU and need no gradient; those that shared memory when they were saved do so again.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or would build something other than tensors and plain values; the message names the file and the reason.</exception>
    public static PyTorchFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        using var scope = NewDisposeScope();
        try
        {
            return Read(stream);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"'{path}' cannot be read as a PyTorch file: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>Reads the tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors by their names; where the file nests them, by their path joined by <c>/</c>. The caller disposes them.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">As <see cref="Load"/>.</exception>
    public static TensorDictionary LoadStateDict(string path) => Load(path).Tensors;

    /// <inheritdoc/>
    public void Dispose() => Tensors.Dispose();

    private static PyTorchFile Read(FileStream stream)
    {
        Span<byte> start = stackalloc byte[4];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        if (length == start.Length && start.SequenceEqual("PK\u0003\u0004"u8))
        {
            return PyTorchZip.Read(stream);
        }

        return length > 0 && start[0] == (byte)PickleOpcode.Proto
            ? PyTorchLegacy.Read(stream)
            : throw new InvalidDataException("it begins neither like a zip archive nor like a pickle");
    }

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
