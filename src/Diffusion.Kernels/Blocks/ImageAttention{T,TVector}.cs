using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="ImageAttention"/> in a format.</summary>
/// <typeparam name="T">What tokens are, and products are computed in; sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class ImageAttention<T, TVector> : ImageAttention
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int MaxSums = 1 << 20; // floats of gradients that pieces of work add up for themselves
    private const int FewestPieces = 8;
    private const int MaxPieces = 32;

    /// <inheritdoc/>
    public override bool IsNarrow => T.PerWord > 1;

    /// <inheritdoc/>
    public override void Forward(in SelfAttentionParameters layers, WinogradImages images, uint* attended, float* totals, WinogradImages output)
    {
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        var block = new Block(layers, images, attended, totals);
        var atOnce = images.Count < 2 * TileWork.Threads ? images.Count : 1;
        var kept = attended == null ? block.FloatsOf(layers.Layout.Inner, atOnce) + block.FloatsOfTotals(atOnce) : 0;
        TileWork.Run(images.Count / atOnce, block.Floats(atOnce) + kept, new ForwardWork(block, Block.Panels(layers.Last), Block.Bias(layers.Last), output, atOnce));
    }

    /// <inheritdoc/>
    public override void Backward(in SelfAttentionParameters layers, WinogradImages images, uint* attended, float* totals, WinogradImages direction, WinogradImages gradient, ReadOnlySpan<nint> ofParameters)
    {
        using var scope = NewDisposeScope();
        var (maps, count, channels, inner) = (layers.Projections, images.Count, images.Channels, layers.Layout.Inner);
        var (block, places) = (new Block(layers, images, attended, totals), new Sums(channels, inner));
        var pieces = Math.Min(count, Math.Clamp((int)(MaxSums / places.Length), FewestPieces, MaxPieces)); // the same for any number of threads, so that sums are, too
        using var memory = TileScratch.Rent((4L * channels * inner) + (pieces * places.Length) + (2 * TileScratch.Rounded((long)count * channels)));
        uint* toInput = memory.TakeWords(3L * inner * channels / T.PerWord), toAttended = memory.TakeWords((long)channels * inner / T.PerWord);
        float* sums = memory.Take(pieces * places.Length), ofNormWeight = memory.Take((long)count * channels), ofNormBias = memory.Take((long)count * channels);
        var weight = layers.Key is { } key && layers.Value is { } value ? cat([layers.Query.Weight, key.Weight, value.Weight]) : layers.Query.Weight; // [3·inner, C]
        TilePanels.Pack<T, TVector>(TensorMemory.Of<float>(weight), channels, 3 * inner, toInput);
        TilePanels.Pack<T, TVector>(TensorMemory.Of<float>(layers.Last.Weight), inner, channels, toAttended);
        TileWork.Run(pieces, block.Floats(1) + block.FloatsOfGradients, new BackwardWork(block, toAttended, toInput, direction, gradient, pieces, sums, places, ofNormWeight, ofNormBias));

        if (layers.Norm is not null)
        {
            NormedGradient<T, TVector>.AddImages(ofNormWeight, count, channels, (float*)ofParameters[0]);
            NormedGradient<T, TVector>.AddImages(ofNormBias, count, channels, (float*)ofParameters[1]);
            ofParameters = ofParameters[2..];
        }

        var rows = 3 * inner / maps;
        for (var i = 0; i < maps; i++, ofParameters = ofParameters[2..])
        {
            TileSums<TVector>.OfParts(sums + ((long)i * rows * channels), pieces, places.Length, rows * channels, (float*)ofParameters[0]);
            TileSums<TVector>.OfParts(sums + places.Bias + (i * rows), pieces, places.Length, rows, (float*)ofParameters[1]);
        }

        TileSums<TVector>.OfParts(sums + places.LastWeight, pieces, places.Length, channels * inner, (float*)ofParameters[0]);
        TileSums<TVector>.OfParts(sums + places.LastBias, pieces, places.Length, channels, (float*)ofParameters[1]);
    }

    /// <summary>Where in a piece's sums the gradients are: of the projections' weights, their biases, the last weight, its bias.</summary>
    private readonly struct Sums(int channels, int inner)
    {
        public long Bias => 3L * inner * channels;

        public long LastWeight => Bias + (3 * inner);

        public long LastBias => LastWeight + ((long)channels * inner);

        public long Length => LastBias + channels;
    }

    /// <summary>The panels and the bias of each projection.</summary>
    [InlineArray(3)]
    private struct Maps
    {
        private (nint Panels, nint Bias) _map;
    }

    /// <summary>What both directions have in common: from images to queries, keys and values.</summary>
    private readonly struct Block
    {
        private readonly SelfAttentionParameters _layers;
        private readonly AttentionLayout _joint;
        private readonly uint* _attended;
        private readonly float* _totals;
        private readonly Maps _maps;

        public Block(in SelfAttentionParameters layers, WinogradImages images, uint* attended, float* totals)
        {
            (_layers, Images, _joint) = (layers, images, layers.Layout.AsOne);
            _attended = attended;
            _totals = totals;
            for (var i = 0; i < layers.Projections; i++)
            {
                _maps[i] = ((nint)Panels(layers.Projection(i)), (nint)Bias(layers.Projection(i)));
            }
        }

        public WinogradImages Images { get; }

        public NormParameters? Norm => _layers.Norm;

        public IAttentionKernel Kernel => _joint.Kernel(T.PerWord > 1)!;

        public int Inner => _layers.Layout.Inner;

        public static uint* Panels(LinearParameters linear) => TensorMemory.Of<uint>(LinearTokens<T, TVector>.Panels(linear.Weight));

        public static float* Bias(LinearParameters linear) => TensorMemory.Of<float>(linear.Bias!);

        /// <summary>The memory of statistics and tokens of some images.</summary>
        public long Floats(int images) => (Norm is { } norm ? NormStatistics.Floats(images, norm) : 0) + FloatsOf(3 * Inner, images);

        /// <summary>The memory, for an image, of the gradients of all tokens, of rows of what entered and of directions, and of the directions of attention.</summary>
        public long FloatsOfGradients => FloatsOf(3 * Inner) + (2 * FloatsOf(Images.Channels)) + FloatsOf(Inner);

        /// <summary>The memory of so many features of all tokens of some images, and of a tile after the last.</summary>
        public long FloatsOf(int features, int images = 1) => TileScratch.Rounded((((long)images * Images.Pixels) + 8) * features / T.PerWord);

        public long FloatsOfTotals(int images) => TileScratch.Rounded(2L * images * _layers.Layout.Heads * Images.Pixels);

        public uint* Attended(int image, int count, TileScratch scratch) => _attended == null ? scratch.TakeWords(FloatsOf(Inner, count)) : _attended + ((long)image * Images.Pixels * Inner / T.PerWord);

        public float* Totals(int image, int count, TileScratch scratch) => _totals == null ? scratch.Take(FloatsOfTotals(count)) : _totals + (2L * image * _layers.Layout.Heads * Images.Pixels);

        public NormStatistics Statistics(int images, TileScratch scratch) => Norm is { } norm ? new(scratch, images, norm) : default;

        /// <summary>The queries, keys and values of images, and what they are projected from where rows are asked for.</summary>
        public void Project(WinogradImages some, NormStatistics statistics, uint* tokens, uint* rows)
        {
            if (Norm is { } norm)
            {
                GroupMoments<TVector>.Find(some, norm, statistics);
            }

            var (map, maps) = (Norm is null ? default : statistics.Map(activates: false), _layers.Projections);
            for (var i = 0; i < maps; i++)
            {
                LinearImages<T, TVector>.ToTokens(some, map, (uint*)_maps[i].Panels, (float*)_maps[i].Bias, tokens + ((long)i * Inner / T.PerWord), 3 * Inner / maps, 3 * Inner, rows);
            }
        }

        public (HeadView Query, HeadView Key, HeadView Value) Views(uint* tokens) => _joint.Views([(nint)tokens], T.PerWord > 1, Images.Pixels);

        public HeadView Whole(uint* tokens) => new(tokens, T.PerWord > 1, Images.Pixels, Inner, HeadLayout.Alone(_layers.Layout.Width));
    }

    /// <summary>An image in each piece, or all in the only one.</summary>
    private readonly struct ForwardWork(Block block, uint* panels, float* bias, WinogradImages output, int atOnce) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (first, statistics) = (piece * atOnce, block.Statistics(atOnce, scratch));
            uint* tokens = scratch.TakeWords(block.FloatsOf(3 * block.Inner, atOnce)), attended = block.Attended(first, atOnce, scratch);
            var some = block.Images.Some(first, atOnce);
            block.Project(some, statistics, tokens, rows: null);
            var (query, key, value) = block.Views(tokens);
            block.Kernel.Forward(atOnce, query, key, value, block.Whole(attended), block.Totals(first, atOnce, scratch));
            LinearImages<T, TVector>.ToImages(attended, block.Inner, panels, bias, some, output.Some(first, atOnce));
        }
    }

    /// <summary>Some images in each piece, which adds up the gradients of the weights for itself.</summary>
    private readonly struct BackwardWork(
        Block block, uint* toAttended, uint* toInput, WinogradImages direction, WinogradImages gradient, int pieces, float* sums, Sums places, float* ofNormWeight, float* ofNormBias) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (channels, inner, images, to) = (block.Images.Channels, block.Inner, block.Images.Count, (nint)(sums + (piece * places.Length)));
            new Span<float>((float*)to, (int)places.Length).Clear();
            var statistics = block.Statistics(1, scratch);
            uint* tokens = scratch.TakeWords(block.FloatsOf(3 * inner)), gradients = scratch.TakeWords(block.FloatsOf(3 * inner));
            uint* rows = scratch.TakeWords(block.FloatsOf(channels)), directions = scratch.TakeWords(block.FloatsOf(channels)), ofAttended = scratch.TakeWords(block.FloatsOf(inner));
            for (var image = images * piece / pieces; image < images * (piece + 1) / pieces; image++)
            {
                block.Project(block.Images.Some(image, 1), statistics, tokens, rows);
                LinearImages<T, TVector>.ToTokens(direction.Some(image, 1), default, toAttended, null, ofAttended, inner, inner, directions);
                var (query, key, value) = block.Views(tokens);
                var attended = block.Attended(image, 1, scratch);
                block.Kernel.Backward(1, query, key, value, block.Whole(attended), block.Totals(image, 1, scratch), block.Whole(ofAttended), block.Views(gradients));
                AddSums(attended, rows, gradients, directions, (float*)to);
                Return(image, statistics, gradients);
            }
        }

        private void AddSums(uint* attended, uint* rows, uint* gradients, uint* directions, float* to)
        {
            var (channels, inner, tokens) = (block.Images.Channels, block.Inner, block.Images.Pixels);
            var (ofTokens, ofImage) = (Rows(gradients, 3 * inner), Rows(directions, channels));
            using var pairs = TileScratch.Rent(Math.Max(LinearKernel<T, TVector>.ScratchOfSums(ofTokens, 3 * inner, channels), LinearKernel<T, TVector>.ScratchOfSums(ofImage, channels, inner)));
            LinearKernel<T, TVector>.AddCorrelation(ofTokens, Rows(rows, channels), (0, tokens), 3 * inner, channels, to, pairs);
            LinearKernel<T, TVector>.AddCorrelation(ofImage, Rows(attended, inner), (0, tokens), channels, inner, to + places.LastWeight, pairs);
            if (T.PerWord == 1)
            {
                TileSums<TVector>.AddRows((float*)gradients, tokens, 3 * inner, to + places.Bias);
                TileSums<TVector>.AddRows((float*)directions, tokens, channels, to + places.LastBias);
            }
            else
            {
                TileSums<TVector>.AddRows((ushort*)gradients, tokens, 3 * inner, to + places.Bias);
                TileSums<TVector>.AddRows((ushort*)directions, tokens, channels, to + places.LastBias);
            }
        }

        /// <summary>The gradient of an image from those of its tokens.</summary>
        private void Return(int image, NormStatistics statistics, uint* gradients)
        {
            var (from, to) = (direction.Some(image, 1), gradient.Some(image, 1));
            LinearImages<T, TVector>.ToImages(gradients, 3 * block.Inner, toInput, null, block.Norm is null ? from : default, to);
            if (block.Norm is { } norm)
            {
                var place = (long)image * block.Images.Channels;
                NormedGradient<T, TVector>.Spread(block.Images.Some(image, 1), to.Data, from.Data, norm, statistics, activates: false, ofNormBias + place, ofNormWeight + place);
            }
        }

        private TokenRows Rows(uint* data, int features) => new((nint)data, T.PerWord > 1, 1, block.Images.Pixels, 0, features, 1);
    }
}
