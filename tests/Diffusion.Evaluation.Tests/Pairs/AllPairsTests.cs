using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Pairs;

/// <summary>Numbers of pairs, in blocks, against one by one.</summary>
public class AllPairsTests
{
    /// <summary>Sizes around those of tiles, parts and blocks; of the last two the one does not fit into the memory for columns at once, and of the other parts are taken.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 16, 3)]
    [InlineData(67, 49, 130)]
    [InlineData(130, 17, 2100)]
    [InlineData(6, 21, 260_000)]
    [InlineData(6, 21, 300_000)]
    public void Visit_AnySizes_EachPairOnce(int rows, int columns, int size)
    {
        using var a = SampleFeatures.Whole(rows, size, 7, 1);
        using var b = SampleFeatures.Whole(columns, size, 7, 2);
        using var left = FeatureRows.From(a, "a");
        using var right = FeatureRows.From(b, "b");
        var (distances, products) = (new double[rows, columns], new double[rows, columns]);
        AllPairs.Visit<SquaredDistances>(left, right, (row, first, values) => Add(distances, row, first, values), TestContext.Current.CancellationToken);
        AllPairs.Visit<Products>(left, right, (row, first, values) => Add(products, row, first, values), TestContext.Current.CancellationToken);

        var (x, y) = (SampleFeatures.Rows(a), SampleFeatures.Rows(b));
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                Assert.Equal(SampleFeatures.SquaredDistance(x[i], y[j]), distances[i, j]);
                Assert.Equal(x[i].Zip(y[j], (p, q) => p * q).Sum(), products[i, j]);
            }
        }
    }

    /// <summary>The same features in another type are the same.</summary>
    [Theory]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float64)]
    public void From_OtherTypes_SameNumbers(ScalarType type)
    {
        using var features = SampleFeatures.Whole(20, 5, 200, 3);
        using var other = features.to(type);
        Assert.Equal(NearestImages.InFeatures(features).Distances, NearestImages.InFeatures(other).Distances);
    }

    /// <summary>A view that is not contiguous, in a dispose scope of the caller, leaves nothing behind and stays whole.</summary>
    [Fact]
    public void From_StridedView_ReadAndNotDisposed()
    {
        using var features = SampleFeatures.Whole(5, 20, 200, 3);
        var tensors = LiveTensors.Settled();
        using (NewDisposeScope())
        {
            var strided = features.t();
            using var rows = FeatureRows.From(strided, "features");
            var values = new double[2 * 5];
            rows.Copy(3, 2, values);
            Assert.Equal(SampleFeatures.Rows(strided).Skip(3).Take(2).SelectMany(row => row), values);
            Assert.Equal(20, strided.shape[0]);
        }

        Assert.Equal(tensors, LiveTensors.Settled());
    }

    private static void Add(double[,] sums, int row, int first, ReadOnlySpan<double> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            sums[row, first + i] += values[i];
        }
    }
}
