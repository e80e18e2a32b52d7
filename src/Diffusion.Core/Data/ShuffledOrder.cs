namespace Diffusion;

/// <summary>Every image once an epoch, each epoch in an order of its own.</summary>
internal sealed class ShuffledOrder(int count, int batchSize, long seed) : BatchOrder(batchSize)
{
    private readonly Permutation _epoch = new(count, seed);

    protected override int ImageAt(long position) => _epoch.At(position);
}
