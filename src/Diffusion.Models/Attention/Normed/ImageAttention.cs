using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>What <see cref="NormedAttention"/> computes: each image goes all the way in one piece of work.</summary>
/// <typeparam name="T">What images and tokens are, and products are computed in; sums are float32.</typeparam>
internal static unsafe class ImageAttention<T>
    where T : ITileFormat
{
    private const int MostSums = 1 << 20; // floats of gradients that pieces of work add up for themselves
    private const int FewestPieces = 8;
    private const int MostPieces = 32;

    /// <summary>The block.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="attended">[B, H·W, inner]; written.</param>
    /// <param name="totals">[B, heads, 2, H·W]; written.</param>
    /// <param name="output">[B, C, H, W]; written.</param>
    public static void Forward(SelfAttentionLayers layers, WinogradImages images, uint* attended, float* totals, WinogradImages output)
    {
        using var scope = NewDisposeScope();
        var block = new Block(layers, layers.Joint(), images, attended, totals);
        var panels = TensorMemory.Of<uint>(LinearTokens.Panels(layers.Last.Weight, T.PerWord > 1));
        TileWork.Run(images.Count, block.Floats, new ForwardWork(block, panels, TensorMemory.Of<float>(layers.Last.Bias!), output));
    }

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="attended">Of <see cref="Forward"/>.</param>
    /// <param name="totals">Of <see cref="Forward"/>.</param>
    /// <param name="direction">[B, C, H, W].</param>
    /// <param name="gradient">Of the images; written.</param>
    /// <param name="ofParameters">Of weight and bias of the norm, if there is one, of each projection and of the last map, float32; written.</param>
    public static void Backward(SelfAttentionLayers layers, WinogradImages images, uint* attended, float* totals, WinogradImages direction, WinogradImages gradient, ReadOnlySpan<nint> ofParameters)
    {
        using var scope = NewDisposeScope();
        var (joint, count, channels, inner) = (layers.Joint(), images.Count, images.Channels, layers.Plan.Inner);
        var block = new Block(layers, joint, images, attended, totals);
        var places = new Sums(channels, inner);
        var pieces = Math.Min(count, Math.Clamp((int)(MostSums / places.Length), FewestPieces, MostPieces)); // the same for any number of threads, so that sums are, too
        using var memory = TileScratch.Rent((4L * channels * inner) + (pieces * places.Length) + (2 * TileScratch.Rounded((long)count * channels)));
        uint* toInput = memory.TakeWords(3L * inner * channels / T.PerWord), toAttended = memory.TakeWords((long)channels * inner / T.PerWord);
        float* sums = memory.Take(pieces * places.Length), ofNormWeight = memory.Take((long)count * channels), ofNormBias = memory.Take((long)count * channels);
        TilePanels.Pack<T>(TensorMemory.Of<float>(joint.Weight), channels, 3 * inner, toInput);
        TilePanels.Pack<T>(TensorMemory.Of<float>(layers.Last.Weight), inner, channels, toAttended);
        TileWork.Run(pieces, block.Floats + block.FloatsOfGradients, new BackwardWork(block, toAttended, toInput, direction, gradient, pieces, sums, places, ofNormWeight, ofNormBias));

        if (layers.Norm is not null)
        {
            NormedGradient<T>.AddImages(ofNormWeight, count, channels, (float*)ofParameters[0]);
            NormedGradient<T>.AddImages(ofNormBias, count, channels, (float*)ofParameters[1]);
            ofParameters = ofParameters[2..];
        }

        var (maps, rows) = (layers.Projections.Count, 3 * inner / layers.Projections.Count);
        for (var i = 0; i < maps; i++, ofParameters = ofParameters[2..])
        {
            TileSums.OfParts(sums + ((long)i * rows * channels), pieces, places.Length, rows * channels, (float*)ofParameters[0]);
            TileSums.OfParts(sums + places.Bias + (i * rows), pieces, places.Length, rows, (float*)ofParameters[1]);
        }

        TileSums.OfParts(sums + places.LastWeight, pieces, places.Length, channels * inner, (float*)ofParameters[0]);
        TileSums.OfParts(sums + places.LastBias, pieces, places.Length, channels, (float*)ofParameters[1]);
    }

    /// <summary>Where in a piece's sums the gradients are: of the projections' weight, their bias, the last weight, its bias.</summary>
    private readonly struct Sums(int channels, int inner)
    {
        public long Bias => 3L * inner * channels;

        public long LastWeight => Bias + (3 * inner);

        public long LastBias => LastWeight + ((long)channels * inner);

        public long Length => LastBias + channels;
    }

    /// <summary>What both directions have in common: from an image to queries, keys and values.</summary>
    private readonly struct Block(SelfAttentionLayers layers, (Tensor Weight, Tensor Bias, AttentionLayout Layout) joint, WinogradImages images, uint* attended, float* totals)
    {
        private readonly uint* _panels = TensorMemory.Of<uint>(LinearTokens.Panels(joint.Weight, T.PerWord > 1));
        private readonly float* _bias = TensorMemory.Of<float>(joint.Bias);

        public WinogradImages Images => images;

        public GroupNorm? Norm => layers.Norm;

        public IAttentionKernel Kernel => joint.Layout.Kernel(T.PerWord > 1)!;

        public int Inner => layers.Plan.Inner;

        public int Tokens => images.Pixels;

        /// <summary>The memory of statistics and tokens of an image.</summary>
        public long Floats => (Norm is null ? 0 : NormStatistics.Floats(1, Norm)) + Rounded(3 * Inner);

        /// <summary>The memory of the gradients of all tokens, of rows of what entered and of directions, and of the directions of attention.</summary>
        public long FloatsOfGradients => Rounded(3 * Inner) + (2 * Rounded(images.Channels)) + Rounded(Inner);

        public uint* Attended(int image) => attended + ((long)image * Tokens * Inner / T.PerWord);

        public float* Totals(int image) => totals + (2L * image * layers.Plan.Heads * Tokens);

        /// <summary>Tokens of an image, with room for a whole tile after the last.</summary>
        public uint* Take(TileScratch scratch, int features) => scratch.TakeWords(Rounded(features));

        public NormStatistics Statistics(TileScratch scratch) => Norm is null ? default : new(scratch, 1, Norm);

        /// <summary>The queries, keys and values of an image, and what they are projected from where rows are asked for.</summary>
        public void Project(int image, NormStatistics statistics, uint* tokens, uint* rows)
        {
            var one = images.Some(image, 1);
            if (Norm is not null)
            {
                GroupMoments.Find(one, Norm, statistics);
            }

            LinearImages<T>.ToTokens(one, Norm is null ? default : statistics.Map(activates: false), _panels, _bias, tokens, 3 * Inner, rows);
        }

        public (HeadView Query, HeadView Key, HeadView Value) Views(uint* tokens) => joint.Layout.Views([(nint)tokens], T.PerWord > 1, Tokens);

        public HeadView Whole(uint* tokens) => new(tokens, T.PerWord > 1, Tokens, Inner, HeadLayout.Alone(layers.Plan.HeadWidth));

        private long Rounded(int features) => TileScratch.Rounded((Tokens + 8L) * features / T.PerWord);
    }

    /// <summary>An image in each piece.</summary>
    private readonly struct ForwardWork(Block block, uint* panels, float* bias, WinogradImages output) : ITileWork
    {
        public void Do(int image, TileScratch scratch)
        {
            var (statistics, tokens) = (block.Statistics(scratch), (nint)block.Take(scratch, 3 * block.Inner));
            block.Project(image, statistics, (uint*)tokens, rows: null);
            var (query, key, value) = block.Views((uint*)tokens);
            block.Kernel.Forward(1, query, key, value, block.Whole(block.Attended(image)), block.Totals(image));
            LinearImages<T>.ToImages(block.Attended(image), block.Inner, panels, bias, block.Images.Some(image, 1), output.Some(image, 1));
        }
    }

    /// <summary>Some images in each piece, which adds up the gradients of the weights for itself.</summary>
    private readonly struct BackwardWork(
        Block block, uint* toAttended, uint* toInput, WinogradImages direction, WinogradImages gradient, int pieces, float* sums, Sums places, float* ofNormWeight, float* ofNormBias) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            new Span<float>(sums + (piece * places.Length), (int)places.Length).Clear();
            var statistics = block.Statistics(scratch);
            uint* tokens = block.Take(scratch, 3 * block.Inner), gradients = block.Take(scratch, 3 * block.Inner);
            uint* rows = block.Take(scratch, block.Images.Channels), directions = block.Take(scratch, block.Images.Channels), ofAttended = block.Take(scratch, block.Inner);
            for (var image = block.Images.Count * piece / pieces; image < block.Images.Count * (piece + 1) / pieces; image++)
            {
                block.Project(image, statistics, tokens, rows);
                LinearImages<T>.ToTokens(direction.Some(image, 1), default, toAttended, null, ofAttended, block.Inner, directions);
                var (query, key, value) = block.Views(tokens);
                block.Kernel.Backward(1, query, key, value, block.Whole(block.Attended(image)), block.Totals(image), block.Whole(ofAttended), block.Views(gradients));
                AddSums(image, rows, gradients, directions, sums + (piece * places.Length));
                Return(image, statistics, gradients);
            }
        }

        private void AddSums(int image, uint* rows, uint* gradients, uint* directions, float* to)
        {
            var (channels, inner, tokens) = (block.Images.Channels, block.Inner, block.Tokens);
            using var pairs = TileScratch.Rent(Math.Max(LinearKernel<T>.ScratchOfSums(3 * inner, channels), LinearKernel<T>.ScratchOfSums(channels, inner)));
            LinearKernel<T>.AddCorrelation(Rows(gradients, 3 * inner), Rows(rows, channels), (0, tokens), 3 * inner, channels, to, pairs);
            LinearKernel<T>.AddCorrelation(Rows(directions, channels), Rows(block.Attended(image), inner), (0, tokens), channels, inner, to + places.LastWeight, pairs);
            if (T.PerWord == 1)
            {
                TileSums.AddRows((float*)gradients, tokens, 3 * inner, to + places.Bias);
                TileSums.AddRows((float*)directions, tokens, channels, to + places.LastBias);
            }
            else
            {
                TileSums.AddRows((ushort*)gradients, tokens, 3 * inner, to + places.Bias);
                TileSums.AddRows((ushort*)directions, tokens, channels, to + places.LastBias);
            }
        }

        /// <summary>The gradient of an image from those of its tokens.</summary>
        private void Return(int image, NormStatistics statistics, uint* gradients)
        {
            var (from, to) = (direction.Some(image, 1), gradient.Some(image, 1));
            LinearImages<T>.ToImages(gradients, 3 * block.Inner, toInput, null, block.Norm is null ? from : default, to);
            if (block.Norm is { } norm)
            {
                var place = (long)image * block.Images.Channels;
                NormedGradient<T>.Spread(block.Images.Some(image, 1), to.Data, from.Data, norm, statistics, activates: false, ofNormBias + place, ofNormWeight + place);
            }
        }

        private TokenRows Rows(uint* data, int features) => new((nint)data, 1, block.Tokens, 0, features / T.PerWord, 1);
    }
}
