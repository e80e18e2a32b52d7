using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Files of Python's <c>torch.save</c> (.pth, .pt, .bin): the zip format and the older one without. Such a file holds a pickle, a program that could call
/// any Python function; here it can build tensors, dictionaries, lists, tuples, sets, text, bytes and numbers, and a file that names anything else is refused. It owns its tensors.
/// </summary>
/// <remarks>
/// Formats: the documentation of Python's <c>pickletools</c> (protocols 2 to 5), and <c>torch.serialization</c> of PyTorch 1.13. What a file may name is what
/// PyTorch's weights-only loader takes, torch/_weights_only_unpickler.py, but for tensors that are sparse, nested, quantized or of a type that TorchSharp does not have.
/// Unlike there, checksums are not compared, compressed records are not read, and files of big-endian machines are refused.
/// </remarks>
public sealed class PyTorchFile : IDisposable
{
    private const char Separator = '/';

    /// <param name="root">A value that the unpickler built.</param>
    /// <param name="pickleLength">The length of the pickle in bytes, which bounds how many tensors and names it may have.</param>
    /// <exception cref="InvalidDataException">It holds itself, or something other than tensors and plain values.</exception>
    internal PyTorchFile(object? root, long pickleLength)
    {
        Root = root;
        Tensors = new TensorDictionary(new PickleTensors(pickleLength).Find(root));
    }

    /// <summary>
    /// The saved value: <see cref="IReadOnlyDictionary{TKey, TValue}"/> of <see cref="string"/> and <see cref="object"/> for a dictionary, whose keys that are no text
    /// (numbers, truth values, None, tuples of up to four of these and short texts) are written as Python prints them, and others left out with their values, as is a key that is
    /// printed like a text beside it (a file with tensors there is refused); <see cref="IReadOnlyList{T}"/> of <see cref="object"/> for a list, a tuple, a set or a <c>torch.Size</c>; a
    /// <see cref="Tensor"/>; <see cref="string"/> for text, a <c>torch.device</c> or a type such as <c>torch.float32</c>; an array of <see cref="byte"/> for bytes;
    /// <see cref="long"/>, or <see cref="BigInteger"/> where it does not fit; <see cref="double"/>; <see cref="Complex"/>; <see cref="bool"/>; or <see langword="null"/>.
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
    /// <exception cref="InvalidDataException">The file is something else, is damaged, or would build something other than tensors and plain values; the message names the file and the reason.</exception>
    public static PyTorchFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileContent.IsEmpty(path))
        {
            throw new InvalidDataException($"'{path}' cannot be read as a PyTorch file: it is empty, or no plain file; it has 0 bytes and begins neither like a zip archive nor like a pickle.");
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        using var scope = NewDisposeScope();
        try
        {
            return Read(stream);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"'{path}' cannot be read as a PyTorch file: {FileContent.Refusal(path, Reason(exception), ContentKind.Zip, ContentKind.Pickle)}", exception);
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
        if (length == start.Length && (start.SequenceEqual("PK\u0003\u0004"u8) || start.SequenceEqual("PK\u0005\u0006"u8)))
        {
            return PyTorchZip.Read(stream);
        }

        return length > 0 && start[0] == (byte)PickleOpcode.Proto
            ? PyTorchLegacy.Read(stream)
            : throw new InvalidDataException("it begins neither like a zip archive nor like a pickle");
    }

    private static string Reason(Exception exception) => exception is EndOfStreamException ? "it ends early, as a download that was cut off" : exception.Message;
}
