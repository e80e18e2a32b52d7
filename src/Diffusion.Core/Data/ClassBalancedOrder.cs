namespace Diffusion;

/// <summary>
/// Rounds of one image for each class that has any: the classes in an order of the round, the images of a class each once before one comes again.
/// </summary>
internal sealed class ClassBalancedOrder : BatchOrder
{
    private readonly int[][] _images; // of every class that has any
    private readonly Permutation[] _within;
    private readonly Permutation _round;

    public ClassBalancedOrder(IReadOnlyList<long> labels, int batchSize, long seed)
        : base(batchSize)
    {
        _images = [.. Enumerable.Range(0, labels.Count).GroupBy(i => labels[i]).OrderBy(images => images.Key).Select(images => images.ToArray())];
        _within = [.. _images.Select((images, i) => new Permutation(images.Length, Seed(seed, i + 1)))];
        _round = new Permutation(_images.Length, Seed(seed, 0));
    }

    protected override int ImageAt(long position)
    {
        var label = _round.At(position);
        return _images[label][_within[label].At(position / _images.Length)];
    }

    private static long Seed(long seed, long part) => unchecked((long)SeedMixer.Mix(seed, SeedMixer.Purpose.ClassOrder, part));
}
