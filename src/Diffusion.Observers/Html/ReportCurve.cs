namespace Diffusion.Observers;

/// <summary>Numbers over the steps of a run in bounded memory: neighbours are put together when there are too many. Those that are not finite do not count.</summary>
internal sealed class ReportCurve
{
    public const int MaxPoints = 1000;

    private List<Point> _points = [];
    private int _width = 1; // numbers in a full point
    private int _last; // numbers in the last one

    /// <summary>A few neighbouring numbers: their mean step, mean, least and greatest.</summary>
    public readonly record struct Point(double Step, double Mean, double Min, double Max);

    /// <summary>In the order of the steps, at most <see cref="MaxPoints"/>.</summary>
    public IReadOnlyList<Point> Points => _points;

    public void Add(int step, double value)
    {
        if (!double.IsFinite(value))
        {
            return;
        }

        if (_last == _width || _points.Count == 0)
        {
            if (_points.Count == MaxPoints)
            {
                _points = [.. _points.Chunk(2).Select(pair => Merge(pair[0], 1, pair[1], 1))];
                _width *= 2;
            }

            _points.Add(new Point(step, value, value, value));
            _last = 1;
        }
        else
        {
            _points[^1] = Merge(_points[^1], _last, new Point(step, value, value, value), 1);
            _last++;
        }
    }

    /// <summary>The mean of each point and its neighbours, a twenty-fifth of the curve together, so that the trend shows.</summary>
    public IReadOnlyList<Point> Smoothed()
    {
        var side = _points.Count / 50;
        return [.. _points.Select((point, i) => point with { Mean = _points[Math.Max(0, i - side)..Math.Min(_points.Count, i + side + 1)].Average(each => each.Mean) })];
    }

    private static Point Merge(Point one, int ones, Point other, int others)
    {
        var share = others / (double)(ones + others);
        return new(one.Step + (share * (other.Step - one.Step)), one.Mean + (share * (other.Mean - one.Mean)), Math.Min(one.Min, other.Min), Math.Max(one.Max, other.Max));
    }
}
