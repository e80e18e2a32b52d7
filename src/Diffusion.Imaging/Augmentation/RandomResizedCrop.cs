using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// Cuts out a part of random size and place and brings it to one size, without aliasing. The part has the aspect ratio of the result, so
/// nothing is distorted. With nothing random, the largest such part in the middle.
/// </summary>
/// <remarks>
/// The random crops of "Going Deeper with Convolutions", arXiv:1409.4842, section 6, without their change of the aspect ratio. Resized with
/// the cubic of <see cref="PixelImage.Resize"/>, and clamped to the range of the images, beyond which a cubic goes at sharp edges; [−1, 1] where nothing says what it is.
/// </remarks>
internal sealed class RandomResizedCrop : Augmentation
{
    private readonly CropSize _size;
    private readonly double _smallest;
    private readonly double _largest;
    private (float Min, float Max) _range = (-1, 1);

    /// <summary>Sets the size and the range of the parts.</summary>
    /// <param name="height">The height of the result in pixels, at least 1.</param>
    /// <param name="width">The width of the result in pixels, at least 1.</param>
    /// <param name="smallest">The smallest area of a part, as a share of the largest part that fits, in (0, 1].</param>
    /// <param name="largest">The largest area of a part, as a share of the largest part that fits, in [<paramref name="smallest"/>, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public RandomResizedCrop(int height, int width, double smallest = 0.5, double largest = 1)
    {
        _size = new CropSize(height, width);
        if (!(smallest > 0 && smallest <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(smallest), smallest, "smallest is a share of the area in (0, 1].");
        }

        if (!(largest >= smallest && largest <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(largest), largest, FormattableString.Invariant($"largest is a share of the area in [smallest, 1] = [{smallest}, 1]."));
        }

        (_smallest, _largest) = (smallest, largest);
    }

    /// <inheritdoc/>
    public override ImageShape ShapeOf(ImageShape shape) => shape with { Height = _size.Height, Width = _size.Width };

    /// <inheritdoc/>
    public override Tensor Apply(Tensor image, SeededRandom random)
    {
        var share = Math.Sqrt(_smallest + (random.NextDouble() * (_largest - _smallest)));
        return Cut(image, share, random.NextDouble(), random.NextDouble());
    }

    /// <inheritdoc/>
    public override Tensor ApplyPlain(Tensor image) => Cut(image, 1, 0.5, 0.5);

    /// <inheritdoc/>
    internal override Augmentation Within((double Min, double Max)? range)
    {
        var copy = (RandomResizedCrop)MemberwiseClone();
        copy._range = range is var (min, max) ? ((float)min, (float)max) : (float.NegativeInfinity, float.PositiveInfinity);
        return copy;
    }

    /// <param name="image">[C, H, W].</param>
    /// <param name="share">The side of the part over that of the largest.</param>
    /// <param name="down">Where the part lies between the top, 0, and the bottom, 1.</param>
    /// <param name="across">Where the part lies between the left, 0, and the right, 1.</param>
    private Tensor Cut(Tensor image, double share, double down, double across)
    {
        var (channels, height, width) = ((int)image.shape[0], (int)image.shape[1], (int)image.shape[2]);
        var scale = share * Math.Min(height / (double)_size.Height, width / (double)_size.Width);
        var (partHeight, partWidth) = (_size.Height * scale, _size.Width * scale);
        var (top, left) = (down * (height - partHeight), across * (width - partWidth));
        var rows = FilterWeights.Create(height, top, top + partHeight, _size.Height);
        var columns = FilterWeights.Create(width, left, left + partWidth, _size.Width);
        var source = MemoryMarshal.Cast<byte, float>(image.contiguous().bytes);
        var (plane, cut) = (height * width, _size.Height * _size.Width);
        var result = new float[channels * cut];
        for (var c = 0; c < channels; c++)
        {
            PlaneResampler.Resize(source.Slice(c * plane, plane), width, rows, columns, _range, result.AsSpan(c * cut, cut));
        }

        return tensor(result, [channels, _size.Height, _size.Width]);
    }
}
