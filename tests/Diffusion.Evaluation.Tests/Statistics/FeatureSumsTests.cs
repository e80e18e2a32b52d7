using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class FeatureSumsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(13)]
    public void Statistics_OfShardsInAnyOrder_HaveTheSameBits(int shards)
    {
        var features = Shards(shards);
        var inOrder = Sum(features, Enumerable.Range(0, shards));
        using var expected = inOrder.Statistics("set");
        var random = new SeededRandom(1);
        for (var trial = 0; trial < 10; trial++)
        {
            int[] order = [.. Enumerable.Range(0, shards).OrderBy(_ => random.NextDouble())];
            using var statistics = Sum(features, order).Statistics("set");
            Identical(expected, statistics);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Statistics_OfSeveralWorkers_HaveTheSameBits(int workers)
    {
        var features = Shards(13);
        using var expected = Sum(features, Enumerable.Range(0, 13)).Statistics("set");
        var inTurn = Enumerable.Range(0, workers).Select(worker => Sum(features, Enumerable.Range(0, 13).Where(shard => shard % workers == worker)));
        var inRuns = Enumerable.Range(0, workers).Select(worker => Sum(features, Enumerable.Range(0, 13).Where(shard => shard * workers / 13 == worker)));
        foreach (var parts in new[] { inTurn, inTurn.Reverse(), inRuns, inRuns.Reverse() })
        {
            var all = new FeatureSums();
            foreach (var (number, part) in parts.Index())
            {
                part.Write(_folder.File($"{number}.safetensors"));
                all.Add(FeatureSums.Read(_folder.File($"{number}.safetensors")));
            }

            using var statistics = all.Statistics("set");
            Identical(expected, statistics);
            Assert.Equal(features.Sum(shard => shard.shape[0]), all.Images);
        }
    }

    [Fact]
    public void Add_FromSeveralThreads_HasTheSameBits()
    {
        var features = Shards(40);
        using var expected = Sum(features, Enumerable.Range(0, 40)).Statistics("set");
        var sums = new FeatureSums();
        Parallel.For(0, 40, shard => sums.Add(shard, features[shard]));
        using var statistics = sums.Statistics("set");
        Identical(expected, statistics);
    }

    [Fact]
    public void Add_OfShardsInOrder_KeepsFewSums()
    {
        var tree = new ShardTree();
        var moments = new FeatureMoments(1, [1], [0]);
        for (var shard = 0; shard < 1000; shard++)
        {
            tree.Add(shard, 0, moments);
            Assert.InRange(tree.Nodes.Count(), 1, 10);
        }

        Assert.Equal(1000, tree.Images);
    }

    // Σx² − n·mean² would lose eight digits here, and half of what a covariance has.
    [Theory]
    [InlineData(1e4, 1e-12)]
    [InlineData(1e7, 1e-9)]
    public void Statistics_OfFarMeans_KeepTheirDigits(double far, double tolerance)
    {
        using var mean = far.ToScalar();
        var features = TestFeatures.Normal(1, 900, 8).to(ScalarType.Float32).to(ScalarType.Float64);
        var away = features.Plus(mean);
        using var near = FeatureStatistics.Of(away.sub(mean), "near"); // what is left of the numbers, exactly
        using var statistics = Sum([.. away.split(64)], Enumerable.Range(0, 15)).Statistics("far");
        TensorAssert.Close(near.Covariance, statistics.Covariance, tolerance, 0, "covariance");
        TensorAssert.Close(near.Mean.Plus(mean), statistics.Mean, 0, 1e-15, "mean");
    }

    [Fact]
    public void Statistics_OfFarMeans_GiveTheRecordedDistance()
    {
        using var golden = Golden.Case("metrics/fid_three_150_400x24");
        using var far = 1e4.ToScalar();
        using var images = Sum([.. golden["features1"].to(ScalarType.Float64).Plus(far).split(16)], Enumerable.Range(0, 10)).Statistics("images");
        using var reference = Sum([.. golden["features2"].to(ScalarType.Float64).Plus(far).split(16)], Enumerable.Range(0, 25)).Statistics("reference");
        Assert.Equal(golden["eigen_f64"].item<double>(), FrechetDistance.Between(images, reference).Value, 1e-6);
    }

    [Fact]
    public void Add_OfManyRowsAtOnce_EqualsTorch()
    {
        var features = TestFeatures.Normal(5, 2500, 37);
        using var statistics = FeatureStatistics.Of(features, "set");
        TensorAssert.Close(features.mean([0]), statistics.Mean, 1e-14, 0, "mean");
        TensorAssert.Close(cov(features.t()), statistics.Covariance, 1e-13, 1e-13, "covariance");
    }

    [Fact]
    public void Add_OfAShardTwice_NamesItAndAddsNothing()
    {
        var features = Shards(4);
        var sums = Sum(features, [0, 1, 3]);
        Assert.Contains("Shard 1 was added before", Assert.Throws<ArgumentException>(() => sums.Add(1, features[1])).Message, StringComparison.Ordinal);
        Assert.Contains("Shard 3 was added before", Assert.Throws<ArgumentException>(() => sums.Add(Sum(features, [2, 3]))).Message, StringComparison.Ordinal);
        sums.Add(2, features[2]);
        using var statistics = sums.Statistics("set");
        using var expected = Sum(features, [0, 1, 2, 3]).Statistics("set");
        Identical(expected, statistics);
    }

    [Fact]
    public void Statistics_WithGaps_NameThem()
    {
        var features = Shards(12);
        var message = Assert.Throws<InvalidOperationException>(() => Sum(features, [1, 2, 3, 6, 11]).Statistics("set")).Message;
        Assert.Contains("shards 0, 4 to 5, 7 to 10 are missing", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statistics_OfFewerThanTwoImages_AreRefused()
    {
        Assert.Contains("of 0 were added", Assert.Throws<InvalidOperationException>(() => new FeatureSums().Statistics("set")).Message, StringComparison.Ordinal);
        var one = new FeatureSums();
        one.Add(0, TestFeatures.Normal(1, 1, 3));
        Assert.Contains("of 1 were added", Assert.Throws<InvalidOperationException>(() => one.Statistics("set")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => FeatureStatistics.Of(TestFeatures.Normal(1, 1, 3), "set"));
    }

    [Fact]
    public void Add_OfBadFeatures_NamesWhatIsWrong()
    {
        var sums = Sum(Shards(1), [0]);
        Refused("has 3 features an image, and those before have 4", TestFeatures.Normal(1, 5, 3));
        Refused("have the shape [5]", TestFeatures.Normal(1, 5, 1).view(5));
        Refused("have the shape [0, 4]", TestFeatures.Normal(1, 5, 4).narrow(0, 0, 0));
        Refused("at most 16383 features", zeros([1, 16384]));
        Refused("are Int64", ones([5, 4], dtype: ScalarType.Int64));
        foreach (var bad in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            var features = TestFeatures.Normal(1, 1500, 4);
            features[1400, 2] = tensor(bad, dtype: ScalarType.Float64);
            Refused(FormattableString.Invariant($"feature 2 of image 1400 is {bad}"), features);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => sums.Add(-1, TestFeatures.Normal(1, 5, 4)));
        Assert.Equal(5, sums.Images);

        void Refused(string message, Tensor features) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => sums.Add(1, features)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfOtherFiles_NamesTheFileAndTheReason()
    {
        var path = _folder.File("sums.safetensors");
        Sum(Shards(3), [0, 1, 2]).Write(path);
        using var tensors = Safetensors.Load(path);
        var metadata = Safetensors.ReadMetadata(path);
        Refused("its metadata have no 'format'", tensors, null);
        Refused("'2.0.mean' is no [D]", tensors.Where(item => item.Key != "2.0.mean"), metadata);
        Refused("'2.0.scatter' is no [4, 4]", tensors.Select(item => item.Key == "2.0.scatter" ? KeyValuePair.Create(item.Key, item.Value.narrow(0, 0, 3)) : item), metadata);
        Refused("'2.0.images' is no number", tensors.Select(item => item.Key == "2.0.images" ? KeyValuePair.Create(item.Key, item.Value.sub(item.Value)) : item), metadata);
        Refused("not symmetric", tensors.Select(item => item.Key == "2.0.scatter" ? KeyValuePair.Create(item.Key, item.Value.triu(0)) : item), metadata);
        Refused("'3.1' names no shards", tensors.Select(item => KeyValuePair.Create(item.Key.Replace("2.0.", "3.1.", StringComparison.Ordinal), item.Value)), metadata);
        Refused("Shard 1 was added before", tensors.Select(item => KeyValuePair.Create(item.Key.Replace("2.0.", "1.0.", StringComparison.Ordinal), item.Value)), metadata);
        Refused("'other' belongs to nothing", tensors.Append(KeyValuePair.Create("other", tensors["2.0.mean"])), metadata);
        Refused("it has no shards", [], metadata);

        void Refused(string reason, IEnumerable<KeyValuePair<string, Tensor>> content, IReadOnlyDictionary<string, string>? text)
        {
            var other = _folder.File("other.safetensors");
            Safetensors.Save(other, content, text);
            var message = Assert.Throws<InvalidDataException>(() => FeatureSums.Read(other)).Message;
            Assert.StartsWith($"'{other}' holds no sums of features: ", message, StringComparison.Ordinal);
            Assert.Contains(reason, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Write_OfNothing_IsRefused() => Assert.Throws<InvalidOperationException>(() => new FeatureSums().Write(_folder.File("none.safetensors")));

    [Fact]
    public void Add_OfManyShards_LeaksNoTensors()
    {
        var features = TestFeatures.Normal(1, 10, 4);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var sums = new FeatureSums();
        for (var shard = 0; shard < 20; shard++)
        {
            sums.Add(shard, features);
        }

        sums.Statistics("set").Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static Tensor[] Shards(int count) => [.. Enumerable.Range(0, count).Select(shard => TestFeatures.Normal(shard, 5 + (shard % 3), 4))];

    private static FeatureSums Sum(Tensor[] features, IEnumerable<int> shards)
    {
        var sums = new FeatureSums();
        foreach (var shard in shards)
        {
            sums.Add(shard, features[shard]);
        }

        return sums;
    }

    private static void Identical(FeatureStatistics expected, FeatureStatistics actual)
    {
        TensorAssert.Identical(expected.Mean, actual.Mean, "mean");
        TensorAssert.Identical(expected.Covariance, actual.Covariance, "covariance");
        Assert.Equal(expected.Images, actual.Images);
    }
}
