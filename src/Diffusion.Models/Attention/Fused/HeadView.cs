using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>One part (queries, keys or values) of a dense tensor of tokens [B, N, features], float32 or bfloat16, head by head.</summary>
/// <param name="tokens">The tensor. It must stay alive while the view is used.</param>
/// <param name="layout">Where in a token's features the heads lie.</param>
internal readonly unsafe struct HeadView(Tensor tokens, HeadLayout layout)
{
    private const int Four = 4;
    private readonly byte* _data = TensorMemory.Of<byte>(tokens);
    private readonly bool _narrow = tokens.dtype == ScalarType.BFloat16;
    private readonly long _tokenStride = tokens.size(2);
    private readonly HeadLayout _layout = layout;

    /// <summary>Whether the tensor is bfloat16.</summary>
    public bool IsNarrow => _narrow;

    /// <summary>The tokens N of an image.</summary>
    public int Tokens { get; } = checked((int)tokens.size(1));

    /// <summary>Copies tokens of one head to rows of floats, filling up with zeros.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">The rows to fill; those after the last token become zeros.</param>
    /// <param name="rows">[count, padded width of a head].</param>
    public void Read(int image, int head, int first, int count, float* rows)
    {
        var (width, padded) = (_layout.Width, AttentionTile.Padded(_layout.Width));
        for (var i = 0; i < count; i++, rows += padded)
        {
            var c = 0;
            if (first + i < Tokens)
            {
                var element = Element(image, head, first + i);
                for (; c + Four <= width; c += Four)
                {
                    Vector128.Store(_narrow ? Widened(((ulong*)((ushort*)_data + element + c))[0]) : Vector128.Load((float*)_data + element + c), rows + c);
                }

                for (; c < width; c++)
                {
                    rows[c] = _narrow ? BitConverter.UInt32BitsToSingle((uint)((ushort*)_data)[element + c] << 16) : ((float*)_data)[element + c];
                }
            }

            for (; c < padded; c++)
            {
                rows[c] = 0;
            }
        }
    }

    /// <summary>Copies tokens of one head to rows of words, filling up with zeros.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">The rows to fill; those after the last token become zeros.</param>
    /// <param name="rows">[count, padded width of a head / values in a word].</param>
    /// <typeparam name="T">The format of words; two values in one only if the tensor is bfloat16.</typeparam>
    public void ReadRows<T>(int image, int head, int first, int count, uint* rows)
        where T : ITileFormat
    {
        if (T.PerWord == 1)
        {
            Read(image, head, first, count, (float*)rows);
            return;
        }

        var (width, padded) = (_layout.Width, AttentionTile.Padded(_layout.Width));
        var row = (ushort*)rows;
        for (var i = 0; i < count; i++, row += padded)
        {
            var there = first + i < Tokens ? width : 0;
            if (there > 0)
            {
                new ReadOnlySpan<ushort>((ushort*)_data + Element(image, head, first + i), width).CopyTo(new Span<ushort>(row, width));
            }

            new Span<ushort>(row + there, padded - there).Clear();
        }
    }

    /// <summary>Copies the 32 tokens of a tile, one to each lane.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token; lanes after the last one become zeros.</param>
    /// <param name="lanes">[padded width of a head / values in a word, 32].</param>
    /// <param name="rows">As many words; the tokens as rows afterwards.</param>
    /// <typeparam name="T">The format of words.</typeparam>
    public void ReadLanes<T>(int image, int head, int first, uint* lanes, uint* rows)
        where T : ITileFormat
    {
        ReadRows<T>(image, head, first, AttentionTile.Rows, rows);
        var words = AttentionTile.Padded(_layout.Width) / T.PerWord;
        for (var c = 0; c < words; c++)
        {
            for (var i = 0; i < AttentionTile.Rows; i++)
            {
                lanes[(c * AttentionTile.Rows) + i] = rows[(i * words) + c]; // [32, d] → [d, 32]
            }
        }
    }

    /// <summary>Writes the tokens of a tile.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token; lanes after the last one are left out.</param>
    /// <param name="factor">What everything is multiplied by.</param>
    /// <param name="lanes">[padded width of a head, 32].</param>
    public void WriteLanes(int image, int head, int first, float factor, float* lanes)
    {
        for (var i = 0; i < Math.Min(AttentionTile.Rows, Tokens - first); i++)
        {
            var element = Element(image, head, first + i);
            for (var c = 0; c < _layout.Width; c++)
            {
                Set(element + c, factor * lanes[(c * AttentionTile.Rows) + i]); // [d, 32] → [32, d]
            }
        }
    }

    /// <summary>Writes all tokens of a head.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="factor">What everything is multiplied by.</param>
    /// <param name="rows">[N or more, padded width of a head].</param>
    public void Write(int image, int head, float factor, float* rows)
    {
        for (var i = 0; i < Tokens; i++, rows += AttentionTile.Padded(_layout.Width))
        {
            var element = Element(image, head, i);
            for (var c = 0; c < _layout.Width; c++)
            {
                Set(element + c, factor * rows[c]);
            }
        }
    }

    private static Vector128<float> Widened(ulong four) => (Vector128.WidenLower(Vector128.CreateScalar(four).AsUInt16()) << 16).AsSingle();

    /// <summary>The nearest bfloat16, of two equally near ones the even one.</summary>
    private static ushort Narrowed(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private void Set(long element, float value)
    {
        if (_narrow)
        {
            ((ushort*)_data)[element] = Narrowed(value);
        }
        else
        {
            ((float*)_data)[element] = value;
        }
    }

    private long Element(int image, int head, int token) => ((((long)image * Tokens) + token) * _tokenStride) + _layout.Offset + ((long)head * _layout.Stride);
}
