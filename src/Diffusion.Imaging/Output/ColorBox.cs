namespace Diffusion.Imaging;

/// <summary>A set of colour bins that one colour of a palette stands for.</summary>
internal sealed class ColorBox
{
    private readonly ColorBin[] _bins;

    private ColorBox(ColorBin[] bins)
    {
        _bins = bins;
        var pixels = (double)bins.Sum(bin => bin.Pixels);
        Mean = new Rgb(Average(0), Average(1), Average(2));
        Span<double> spread = [Spread(0), Spread(1), Spread(2)];
        Axis = spread[0] >= spread[1] && spread[0] >= spread[2] ? 0 : spread[1] >= spread[2] ? 1 : 2;
        Error = bins.Length > 1 ? spread[0] + spread[1] + spread[2] : 0;

        double Average(int channel) => bins.Sum(bin => bin.Pixels * bin.Mean[channel]) / pixels;
        double Spread(int channel) => bins.Sum(bin => bin.Pixels * Math.Pow(bin.Mean[channel] - Mean[channel], 2));
    }

    /// <summary>The mean of all its pixels.</summary>
    private Rgb Mean { get; }

    /// <summary>The channel in which its pixels differ most.</summary>
    private int Axis { get; }

    /// <summary>The sum of squared distances to the mean; 0 where it cannot be divided.</summary>
    private double Error { get; }

    /// <summary>Divides the bins into at most <paramref name="count"/> boxes, always the one with the largest error next.</summary>
    /// <returns>The mean of every box.</returns>
    public static Rgb[] Divide(ColorBin[] bins, int count)
    {
        var boxes = new PriorityQueue<ColorBox, double>();
        Add(new ColorBox(bins));
        while (boxes.Count < count && boxes.Peek().Error > 0)
        {
            var box = boxes.Dequeue();
            Add(new ColorBox(Array.FindAll(box._bins, box.IsLow)));
            Add(new ColorBox(Array.FindAll(box._bins, bin => !box.IsLow(bin))));
        }

        return [.. boxes.UnorderedItems.Select(item => item.Element.Mean)];

        void Add(ColorBox box) => boxes.Enqueue(box, -box.Error);
    }

    /// <summary>Below the mean on the axis; where the error is not 0, some bins are and some are not.</summary>
    private bool IsLow(ColorBin bin) => bin.Mean[Axis] < Mean[Axis];
}
