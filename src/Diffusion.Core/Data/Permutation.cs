namespace Diffusion;

/// <summary>An endless sequence in which each of some numbers comes once an epoch, each epoch in a random order of its own.</summary>
internal sealed class Permutation(int count, long seed)
{
    private int[] _order = [];
    private long _epoch = -1;

    /// <summary>The number in [0, count) at a position: a function of the seed and the position alone.</summary>
    public int At(long position)
    {
        UseEpoch(position / count);
        return _order[position % count];
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
