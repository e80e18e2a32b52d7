using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>One part (queries, keys or values) of dense tokens [B, N, features], float32 or bfloat16, head by head.</summary>
/// <param name="data">The first feature of the first token.</param>
/// <param name="narrow">Whether they are bfloat16.</param>
/// <param name="tokens">N.</param>
/// <param name="features">The features of a token.</param>
/// <param name="layout">Where in these the heads lie.</param>
internal readonly unsafe struct HeadView(void* data, bool narrow, int tokens, int features, HeadLayout layout)
{
    private readonly byte* _data = (byte*)data;
    private readonly bool _narrow = narrow;
    private readonly long _tokenStride = features;
    private readonly HeadLayout _layout = layout;

    /// <summary>Whether the tensor is bfloat16.</summary>
    public bool IsNarrow => _narrow;

    /// <summary>The tokens N of an image.</summary>
    public int Tokens { get; } = tokens;

    /// <summary>Of a tensor, which must stay alive while the view is used.</summary>
    public static HeadView Of(Tensor tokens, HeadLayout layout) => new(TensorMemory.Of<byte>(tokens), tokens.dtype == ScalarType.BFloat16, checked((int)tokens.size(1)), (int)tokens.size(2), layout);

    /// <summary>Copies tokens of one head to rows of words, filling up with zeros.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">The rows to fill; those after the last token become zeros.</param>
    /// <param name="rows">[count, padded width of a head / values in a word].</param>
    /// <typeparam name="T">The format of words; two values in one only if the tensor is bfloat16.</typeparam>
    /// <typeparam name="TVector">The vectors.</typeparam>
    public void ReadRows<T, TVector>(int image, int head, int first, int count, uint* rows)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var there = Math.Clamp(Tokens - first, 0, count);
        var (from, padded) = (Element(image, head, first), AttentionTile.Padded(_layout.Width));
        if (T.PerWord > 1)
        {
            TileRows<TVector>.Copy((ushort*)_data + from, _tokenStride, there, _layout.Width, 1, (ushort*)rows, padded, padded);
        }
        else if (_narrow)
        {
            TileRows<TVector>.Copy((ushort*)_data + from, _tokenStride, there, _layout.Width, 1, (float*)rows, padded, padded);
        }
        else
        {
            TileRows<TVector>.Copy((float*)_data + from, _tokenStride, there, _layout.Width, 1, (float*)rows, padded, padded);
        }

        var words = padded / T.PerWord;
        new Span<uint>(rows + ((long)there * words), (count - there) * words).Clear();
    }

    /// <summary>Copies the 32 tokens of a tile, one to each lane.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token; lanes after the last one become zeros.</param>
    /// <param name="lanes">[padded width of a head / values in a word, 32].</param>
    /// <param name="rows">As many words; the tokens as rows afterwards.</param>
    /// <typeparam name="T">The format of words.</typeparam>
    /// <typeparam name="TVector">The vectors.</typeparam>
    public void ReadLanes<T, TVector>(int image, int head, int first, uint* lanes, uint* rows)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        ReadRows<T, TVector>(image, head, first, AttentionTile.Rows, rows);
        var words = AttentionTile.Padded(_layout.Width) / T.PerWord;
        Transposition<TVector>.Copy((float*)rows, words, AttentionTile.Rows, words, (float*)lanes, AttentionTile.Rows); // [32, d] → [d, 32]
    }

    /// <summary>Writes the tokens of a tile.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="first">The first token; lanes after the last one are left out.</param>
    /// <param name="factor">What everything is multiplied by.</param>
    /// <param name="lanes">[padded width of a head, 32].</param>
    /// <param name="rows">As many floats; the tokens as rows afterwards.</param>
    public void WriteLanes<TVector>(int image, int head, int first, float factor, float* lanes, float* rows)
        where TVector : unmanaged, IVector<TVector>
    {
        var padded = AttentionTile.Padded(_layout.Width);
        Transposition<TVector>.Copy(lanes, AttentionTile.Rows, padded, AttentionTile.Rows, rows, padded); // [d, 32] → [32, d]
        Write<TVector>(image, head, first, Math.Min(AttentionTile.Rows, Tokens - first), factor, rows);
    }

    /// <summary>Writes all tokens of a head.</summary>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="factor">What everything is multiplied by.</param>
    /// <param name="rows">[N or more, padded width of a head].</param>
    public void Write<TVector>(int image, int head, float factor, float* rows)
        where TVector : unmanaged, IVector<TVector> => Write<TVector>(image, head, 0, Tokens, factor, rows);

    /// <summary>The inner product of each token of a head with the same of another view of this type.</summary>
    /// <param name="other">The other tokens.</param>
    /// <param name="image">The image.</param>
    /// <param name="head">The head.</param>
    /// <param name="products">[N]; written.</param>
    public void Multiply<TVector>(HeadView other, int image, int head, float* products)
        where TVector : unmanaged, IVector<TVector>
    {
        var (from, with) = (Element(image, head, 0), other.Element(image, head, 0));
        if (_narrow)
        {
            TileRows<TVector>.Multiply((ushort*)_data + from, _tokenStride, (ushort*)other._data + with, other._tokenStride, Tokens, _layout.Width, products);
        }
        else
        {
            TileRows<TVector>.Multiply((float*)_data + from, _tokenStride, (float*)other._data + with, other._tokenStride, Tokens, _layout.Width, products);
        }
    }

    private void Write<TVector>(int image, int head, int first, int count, float factor, float* rows)
        where TVector : unmanaged, IVector<TVector>
    {
        var (to, padded) = (Element(image, head, first), AttentionTile.Padded(_layout.Width));
        if (_narrow)
        {
            TileRows<TVector>.Copy(rows, padded, count, _layout.Width, factor, (ushort*)_data + to, _tokenStride, _layout.Width);
        }
        else
        {
            TileRows<TVector>.Copy(rows, padded, count, _layout.Width, factor, (float*)_data + to, _tokenStride, _layout.Width);
        }
    }

    private long Element(int image, int head, int token) => ((((long)image * Tokens) + token) * _tokenStride) + _layout.Offset + ((long)head * _layout.Stride);
}
