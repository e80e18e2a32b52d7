using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>3×3 convolutions with a border of one pixel of zeros, band by band of tiles that stay in the nearer caches (<see cref="IWinogradForm"/>).</summary>
/// <typeparam name="T">What products are computed in; transforms and sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors that are computed with.</typeparam>
/// <typeparam name="TForm">How many outputs are made at once.</typeparam>
internal static unsafe class WinogradKernel<T, TVector, TForm>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
    where TForm : IWinogradForm
{
    /// <summary>The convolution.</summary>
    /// <param name="input">Images of some multiple of 16 channels, or of 32 where a word has two values.</param>
    /// <param name="points">Of <see cref="WinogradWeights{T, TForm}"/>.</param>
    /// <param name="ends">What is done before and after.</param>
    /// <param name="output">Images of the same size with some multiple of 16 channels; written.</param>
    public static void Convolve(WinogradImages input, uint* points, ConvolutionEnds ends, WinogradImages output)
    {
        input = input.InTiles(TForm.Outputs).InBands(TileWork.Wanted, TForm.MinTilesOfBand);
        output = output.InTiles(TForm.Outputs) with { TilesOfBand = input.TilesOfBand };
        var parts = TileWork.Parts(input.Bands, output.Channels / TilePanels.LanesFor(output.Channels));
        var work = new Bands(input, points, ends, output, parts);
        TileWork.Run(input.Bands * parts, work.Floats, work);
    }

    private static void Write(float* sums, ConvolutionEnds ends, WinogradImages images, int band, float* pixels, float* outside, float** places)
    {
        foreach (var part in images.Parts(band))
        {
            var end = WinogradTiles<TForm>.Corners(images, part, images.Channels, pixels, outside, places);
            if (ends.Added != 0)
            {
                (images with { Data = ends.Added }).Read<TVector>(part.Image, part.Own, 0, images.Channels, pixels);
            }

            Outputs(sums, ends.BiasOf(part.Image), ends.Added != 0, images, (part.Tile, end), places);
            images.Write<TVector>(part.Image, part.Own, pixels);
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Outputs(float* sums, float* bias, bool adds, WinogradImages images, (int First, int End) tiles, float** places)
    {
        var step = WinogradTiles<TForm>.PointStep((long)images.TilesRounded * images.Channels);
        for (var tile = tiles.First; tile < tiles.End; tile++)
        {
            var from = sums + ((long)tile * images.Channels);
            for (var channel = 0; channel < images.Channels; channel += TVector.Count)
            {
                var start = bias is null ? default(TVector) : TVector.Load(bias + channel);
                TForm.Output(from + channel, step, start, adds, places + (TForm.Outputs * TForm.Outputs * tile), channel);
            }
        }
    }

    /// <summary>Some channels of the output of a band in each piece; of these a panel at once, so that the sums of its points stay in a second-level cache.</summary>
    private readonly struct Bands : ITileWork
    {
        private readonly WinogradImages _input;
        private readonly WinogradImages _output;
        private readonly uint* _points;
        private readonly ConvolutionEnds _ends;
        private readonly TileProduct _product;
        private readonly TileProduct _further;
        private readonly int _parts;
        private readonly int _columns;

        public Bands(WinogradImages input, uint* points, ConvolutionEnds ends, WinogradImages output, int parts)
        {
            (_input, _output, _ends, _parts, _columns) = (input, output, ends, parts, TilePanels.LanesFor(output.Channels));
            _points = points;
            var shape = new TileShape(TilePanels.Rows, _columns, Words, 1, TileStart.Zero);
            _product = TileProduct.For<T, TVector>(shape);
            _further = TForm.ChannelsOfSum < input.Channels ? TileProduct.For<T, TVector>(shape with { Start = TileStart.Sums }) : default;
        }

        /// <summary>The memory of a piece.</summary>
        public long Floats =>
            WinogradTiles<TForm>.Floats(_input, _input.Channels) + TileScratch.Rounded(TForm.Points * TransformedStep) + TileScratch.Rounded(TForm.Points * SumStep) + TileScratch.Rounded(Written) + TileScratch.Rounded(_columns) + (2L * TForm.Outputs * TForm.Outputs * _input.TilesRounded);

        private int Words => _input.Channels / T.PerWord;

        private long TransformedStep => WinogradTiles<TForm>.PointStep((long)_input.TilesRounded * Words);

        private long SumStep => WinogradTiles<TForm>.PointStep((long)_input.TilesRounded * _columns);

        private long PanelStep => WinogradWeights<T, TForm>.PointStep(Words, _columns);

        private long Written => (long)TForm.Outputs * _input.RowsOfBand * _input.Width * _columns;

        public void Do(int piece, TileScratch scratch)
        {
            var (band, all) = (piece / _parts, _output.Channels / _parts);
            var transformed = scratch.TakeWords(TForm.Points * TransformedStep);
            float* sums = scratch.Take(TForm.Points * SumStep), written = scratch.Take(Written), outside = scratch.Take(_columns);
            var places = (float**)scratch.Take(2L * TForm.Outputs * TForm.Outputs * _input.TilesRounded);
            WinogradTiles<TForm>.ByChannel<T, TVector>(WinogradTiles<TForm>.Seen<T, TVector>(_input, band, _ends.Map, scratch), _input.TilesRounded, _input.Channels, transformed);
            for (var first = piece % _parts * all; first < ((piece % _parts) + 1) * all; first += _columns)
            {
                for (var point = 0; point < TForm.Points; point++)
                {
                    Multiply(transformed + (point * TransformedStep), _points + (((first / _columns * TForm.Points) + point) * PanelStep), sums + (point * SumStep));
                }

                Write(sums, _ends.Slice(_output, first), _output.Slice(first, _columns), band, written, outside, places);
            }
        }

        /// <summary>The products of a point, of so many channels at a time as rounding allows.</summary>
        private void Multiply(uint* transformed, uint* panel, float* sums)
        {
            var max = TForm.ChannelsOfSum / T.PerWord;
            _product.Run(transformed, panel, sums, _input.TilesRounded, Math.Min(Words, max));
            for (var word = max; word < Words; word += max)
            {
                _further.Run(transformed + word, panel + ((long)word * _columns), sums, _input.TilesRounded, Math.Min(Words - word, max));
            }
        }
    }
}
