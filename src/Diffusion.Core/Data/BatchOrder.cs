namespace Diffusion;

/// <summary>
/// Which images a step sees: a function of the seed and the step. Every image comes once an epoch, each epoch in an order of its own,
/// and batches are always full: one may span two epochs.
/// </summary>
internal sealed class BatchOrder(int count, int batchSize, long seed)
{
    private int[] _order = [];
    private long _epoch = -1;

    /// <summary>The images of a step, counted from 0.</summary>
    public int[] Indices(long step)
    {
        var indices = new int[batchSize];
        for (var i = 0; i < batchSize; i++)
        {
            var position = (step * batchSize) + i;
            UseEpoch(position / count);
            indices[i] = _order[position % count];
        }

        return indices;
    }

    private void UseEpoch(long epoch)
    {
        if (epoch == _epoch)
        {
            return;
        }

        _order = [.. Enumerable.Range(0, count)];
        var epochSeed = unchecked((long)SeedMixer.Mix(seed, SeedMixer.Purpose.EpochOrder, epoch));
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)Math.BigMul(SeedMixer.Mix(epochSeed, SeedMixer.Purpose.EpochOrder, i), (ulong)i + 1, out _); // uniform in [0, i]
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }

        _epoch = epoch;
    }
}
