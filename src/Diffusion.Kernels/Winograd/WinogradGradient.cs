using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>The gradient of the weights of a <see cref="WinogradKernel{T, TVector, TForm}"/> in the form <see cref="Winograd2"/>.</summary>
/// <typeparam name="T">What products are computed in; transforms and sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors that are computed with.</typeparam>
internal static unsafe class WinogradGradient<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int Pieces = 8; // the same for any number of threads, so that sums are, too
    private const int Kernel = 9;
    private const int Pixels = 4; // of a tile

    /// <summary>The products.</summary>
    private static TileProduct Product(int inChannels, int outChannels) => TileProduct.For<T, TVector>(
        new TileShape(8, TilePanels.LanesFor(inChannels), 1, Block(outChannels), TileStart.Sums) { SumStep = inChannels });

    /// <summary>The gradient of ⟨output, direction⟩.</summary>
    /// <param name="input">What entered, with some multiple of 16 channels.</param>
    /// <param name="map">What is done to it before the convolution.</param>
    /// <param name="direction">Images of the same size with some multiple of 16 channels.</param>
    /// <param name="weight">[channels of the direction, channels of the input, 3, 3]; written.</param>
    public static void OfWeight(WinogradImages input, ChannelMap map, WinogradImages direction, float* weight)
    {
        (input, direction) = (input.InTiles(Winograd2.Outputs), direction.InTiles(Winograd2.Outputs));
        var product = Product(input.Channels, direction.Channels);
        var (depth, block) = (input.Channels, Block(direction.Channels));
        var blocks = direction.Channels / block;
        var (chunks, size) = (Math.Min(Math.Max(1, Pieces / blocks), input.Bands), (long)Winograd2.Points * block * depth);
        using var memory = TileScratch.Rent(chunks * blocks * size);
        var all = memory.Take(chunks * blocks * size);
        var words = Winograd2.Points * (WinogradTiles<Winograd2>.PointStep((long)input.TilesRounded / T.PerWord * depth) + WinogradTiles<Winograd2>.PointStep((long)input.TilesRounded / T.PerWord * block));
        TileWork.Run(chunks * blocks, words + 32 + WinogradTiles<Winograd2>.Floats(input, depth) + WinogradTiles<Winograd2>.Floats(input, block), (piece, scratch) =>
        {
            var (chunk, first) = (piece / blocks, piece % blocks * block);
            var sums = all + (piece * size);
            new Span<float>(sums, (int)size).Clear();
            for (var band = (int)((long)input.Bands * chunk / chunks); band < (long)input.Bands * (chunk + 1) / chunks; band++)
            {
                scratch.Reset();
                Add(input, map, direction, band, first, block, sums, product, scratch);
            }
        });
        TileWork.Run(direction.Channels, 0, (channel, _) =>
            Write(all + (channel / block * size) + ((long)(channel % block) * depth), (long)block * depth, chunks, blocks * size, depth, weight + ((long)channel * depth * Kernel)));
    }

    /// <summary>The channels of the output that one piece of work does.</summary>
    private static int Block(int outChannels) => outChannels % 64 == 0 ? 64 : outChannels;

    /// <summary>Adds a band.</summary>
    private static void Add(WinogradImages input, ChannelMap map, WinogradImages direction, int band, int first, int block, float* sums, TileProduct product, TileScratch scratch)
    {
        var (depth, tiles, words) = (input.Channels, input.TilesRounded, input.TilesRounded / T.PerWord);
        var (inputStep, directionStep) = (WinogradTiles<Winograd2>.PointStep((long)words * depth), WinogradTiles<Winograd2>.PointStep((long)words * block));
        uint* inputs = scratch.TakeWords(Winograd2.Points * inputStep), directions = scratch.TakeWords(Winograd2.Points * directionStep);
        WinogradTiles<Winograd2>.ByTile<T, TVector>(WinogradTiles<Winograd2>.Seen<T, TVector>(input, band, map, scratch), tiles, depth, inputs);
        Directions(WinogradTiles<Winograd2>.Own<TVector>(direction, band, first, block, scratch), tiles, block, directions);
        for (var point = 0; point < Winograd2.Points; point++)
        {
            for (var n = 0; n < depth; n += TilePanels.LanesFor(depth))
            {
                product.Run(directions + (point * directionStep), inputs + (point * inputStep) + ((long)n * words), sums + ((long)point * block * depth) + n, block, words);
            }
        }
    }

    /// <summary>A δ Aᵀ as words [points, tiles / values in a word, channels], <see cref="WinogradTiles{TForm}.PointStep"/> from a point to the next, in which two values are of neighbouring tiles.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Directions(float** own, int tiles, int channels, uint* to)
    {
        var step = WinogradTiles<Winograd2>.PointStep((long)tiles / T.PerWord * channels);
        for (var tile = 0; tile < tiles; tile += T.PerWord, own += T.PerWord * Pixels)
        {
            for (var channel = 0; channel < channels; channel += TVector.Count, to += TVector.Count)
            {
                Winograd2.Direction<T, TVector>(own, own + Pixels, channel, to, step);
            }
        }
    }

    /// <summary>The kernels of one channel of the output, from the sums of all chunks.</summary>
    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    private static void Write(float* sums, long pointStep, int chunks, long chunkStep, int depth, float* weight)
    {
        TVector* points = stackalloc TVector[Winograd2.Points], kernel = stackalloc TVector[Kernel];
        var lanes = stackalloc float[TVector.Count];
        for (var channel = 0; channel < depth; channel += TVector.Count)
        {
            for (var point = 0; point < Winograd2.Points; point++)
            {
                var sum = default(TVector);
                for (var chunk = 0; chunk < chunks; chunk++)
                {
                    sum += TVector.Load(sums + (point * pointStep) + (chunk * chunkStep) + channel);
                }

                points[point] = sum;
            }

            Winograd2.KernelGradient(points, kernel);
            for (var i = 0; i < Kernel; i++)
            {
                TVector.Store(kernel[i], lanes);
                for (var lane = 0; lane < TVector.Count; lane++)
                {
                    weight[((channel + lane) * Kernel) + i] = lanes[lane];
                }
            }
        }
    }
}
