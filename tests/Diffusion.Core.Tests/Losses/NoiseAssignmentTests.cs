using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class NoiseAssignmentTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    public void Nearest_SmallBatches_IsTheBestOfAllPermutations(int count)
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var (images, noise) = (Random(count, seed), Random(count, seed + 100));
            var distances = cdist(images.flatten(1), noise.flatten(1)).Numbers();
            var best = Permutations([.. Enumerable.Range(0, count)]).Min(Sum);
            Assert.Equal(best, Sum([.. NoiseAssignment.Nearest(images, noise)]), 1e-9);

            double Sum(int[] columns) => columns.Select((column, row) => distances[(row * count) + column]).Sum();
        }
    }

    [Fact]
    public void Nearest_NoiseThatIsThePermutedImages_FindsThePermutation()
    {
        var images = Random(100, 3);
        var order = Enumerable.Range(0, 100).Select(i => (i * 37) % 100).ToArray();
        var noise = images[tensor(order.Select(i => (long)i).ToArray())];
        var found = NoiseAssignment.Nearest(images, noise);
        Assert.All(found, (index, image) => Assert.Equal(image, order[index]));
    }

    [Fact]
    public void Nearest_WrongArguments_SaysWhatWasGiven()
    {
        Assert.Contains("[2, 1, 2, 2]", Assert.Throws<ArgumentException>(() => NoiseAssignment.Nearest(Random(2, 1), Random(3, 1))).Message, StringComparison.Ordinal);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => NoiseAssignment.Nearest(Random(2, 1) / 0, Random(2, 1))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _scope.Dispose();

    private static Tensor Random(int count, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return randn([count, 1, 2, 2], generator: generator);
    }

    private static IEnumerable<int[]> Permutations(int[] items) => items.Length <= 1
        ? [items]
        : items.SelectMany((item, i) => Permutations([.. items[..i], .. items[(i + 1)..]]).Select(rest => (int[])[item, .. rest]));
}
