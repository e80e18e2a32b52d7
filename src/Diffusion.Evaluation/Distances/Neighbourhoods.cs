namespace Diffusion.Evaluation;

/// <summary>Balls around the images of a set, each as large as the distance to the k-th nearest other image of the set. A duplicate of an image counts as another image.</summary>
internal sealed class Neighbourhoods
{
    private readonly FeatureRows _centres;
    private readonly double[] _squares;

    /// <summary>The balls of a set.</summary>
    /// <param name="centres">The set.</param>
    /// <param name="neighbours">k, at least 1 and less than the number of images.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    /// <exception cref="ArgumentOutOfRangeException">k is outside its range.</exception>
    public Neighbourhoods(FeatureRows centres, int neighbours, CancellationToken cancellationToken)
    {
        if (neighbours < 1 || neighbours >= centres.Count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(neighbours), neighbours, $"The number of neighbours must be at least 1 and less than the number of images of '{centres.Name}', {centres.Count}.");
        }

        (_centres, Neighbours, _squares) = (centres, neighbours, NearestRows.Of(centres, null, neighbours, cancellationToken).Radii());
    }

    /// <summary>The set.</summary>
    public FeatureRows Centres => _centres;

    /// <summary>k.</summary>
    public int Neighbours { get; }

    /// <summary>The squared radii.</summary>
    public IReadOnlyList<double> Squares => _squares;

    /// <summary>For each row, in how many balls it lies.</summary>
    /// <param name="rows">Any images.</param>
    /// <param name="strict">Whether the surface of a ball is outside it.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    public int[] Count(FeatureRows rows, bool strict, CancellationToken cancellationToken)
    {
        var counts = new int[rows.Count];
        AllPairs.Visit<SquaredDistances>(rows, _centres, Visit, cancellationToken);
        return counts;

        void Visit(int row, int first, Span<double> values)
        {
            var radii = _squares.AsSpan(first, values.Length);
            var count = 0;
            for (var i = 0; i < values.Length; i++)
            {
                count += values[i] < radii[i] || (!strict && values[i] == radii[i]) ? 1 : 0;
            }

            counts[row] += count;
        }
    }
}
