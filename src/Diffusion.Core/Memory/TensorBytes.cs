using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The elements of a tensor, to and from a stream, as they lie in memory: row-major and little-endian. Tensors may be over 2 GB.</summary>
internal static class TensorBytes
{
    // A span holds at most 2 GB, so that large tensors go in pieces.
    private const int PieceBytes = 1 << 30;

    /// <summary>Writes the elements of a tensor.</summary>
    /// <param name="stream">Where to write, from its position on.</param>
    /// <param name="tensor">Any dense tensor: on any device, contiguous or not.</param>
    /// <exception cref="ArgumentException"><paramref name="tensor"/> is sparse.</exception>
    /// <exception cref="IOException">The stream cannot be written to.</exception>
    public static void Write(Stream stream, Tensor tensor) => Write(stream, tensor, PieceBytes);

    /// <summary>Overwrites the elements of a tensor with bytes of a stream.</summary>
    /// <param name="stream">Read from its position on, exactly as many bytes as the tensor has.</param>
    /// <param name="tensor">A contiguous tensor on the CPU.</param>
    /// <exception cref="ArgumentException"><paramref name="tensor"/> is not contiguous or not on the CPU.</exception>
    /// <exception cref="EndOfStreamException">The stream ends before the tensor is filled.</exception>
    /// <exception cref="InvalidDataException">An element of a bool tensor is neither 0 nor 1, which no code that reads it expects.</exception>
    public static void Read(Stream stream, Tensor tensor) => Read(stream, tensor, PieceBytes);

    internal static void Write(Stream stream, Tensor tensor, int pieceBytes)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.is_sparse)
        {
            throw new ArgumentException("The tensor is sparse; a dense one is needed.", nameof(tensor));
        }

        using var scope = NewDisposeScope();
        // Conjugation and negation may be pending flags of a view; the bytes must have them applied.
        var plain = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous();
        ForEachPiece(plain, pieceBytes, bytes => stream.Write(bytes));
    }

    internal static void Read(Stream stream, Tensor tensor, int pieceBytes)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.is_sparse || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
        {
            throw new ArgumentException($"The tensor is on {tensor.device} and may be strided; a contiguous one on the CPU is needed.", nameof(tensor));
        }

        using var scope = NewDisposeScope();
        var isBool = tensor.dtype == ScalarType.Bool;
        ForEachPiece(tensor.detach(), pieceBytes, bytes =>
        {
            stream.ReadExactly(bytes);
            if (isBool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
            {
                bytes.Clear();
                throw new InvalidDataException("a bool is neither 0 nor 1");
            }
        });
    }

    private static void ForEachPiece(Tensor contiguous, int pieceBytes, SpanAction action)
    {
        var flat = contiguous.view(-1);
        var piece = Math.Max(1, pieceBytes / flat.ElementSize);
        for (long start = 0; start < flat.NumberOfElements; start += piece)
        {
            using var part = flat.narrow(0, start, Math.Min(piece, flat.NumberOfElements - start));
            action(part.bytes);
        }
    }

    private delegate void SpanAction(Span<byte> bytes);
}
