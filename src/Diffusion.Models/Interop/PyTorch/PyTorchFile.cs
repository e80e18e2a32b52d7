using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Files of Python's <c>torch.save</c> (.pth, .pt, .bin): the zip format and the older one without. Such a file holds a pickle, a program that could call
/// any Python function; here it can build tensors, dictionaries, lists, tuples, text and numbers, and a file that names anything else is refused.
/// </summary>
/// <remarks>
/// Formats: the documentation of Python's <c>pickletools</c> (protocols 2 to 5), and <c>torch.serialization</c> of PyTorch 1.13.
/// Unlike there, checksums are not compared, compressed records are not read, and files of big-endian machines are refused.
/// </remarks>
public static class PyTorchFile
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>What was saved. All tensors are on the CPU and need no gradient; those that shared memory when they were saved do so again.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or would build something other than tensors and plain values; the message names the file and the reason.</exception>
    internal static PyTorchDocument Load(string path)
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
    /// <exception cref="InvalidDataException">The file is damaged, or would build something other than tensors and plain values; the message names the file and the reason.</exception>
    public static TensorDictionary LoadStateDict(string path) => Load(path).Tensors;

    private static PyTorchDocument Read(FileStream stream)
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
}
