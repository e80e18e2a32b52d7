using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Diffusion;

public class WeightsTests
{
    [Fact]
    public void Load_FittingWeights_CopiesThem()
    {
        using var scope = NewDisposeScope();
        using var module = nn.BatchNorm1d(3);
        var weights = Fitting(module);

        Weights.Load(module, weights);

        using var now = Weights.Snapshot(module);
        TensorAssert.Identical(weights, now);
        Assert.Equal(["bias", "num_batches_tracked", "running_mean", "running_var", "weight"], now.Keys.Order(StringComparer.Ordinal));
        Assert.True(module.weight!.requires_grad);
        weights["weight"].zero_();
        Assert.NotEqual(0, module.weight!.sum().ToSingle());
    }

    [Fact]
    public void Load_SingleElementForThreeByOne_IsRefusedAndNotBroadcast()
    {
        using var scope = NewDisposeScope();
        using var module = nn.Linear(1, 3);
        using var before = Weights.Snapshot(module);

        var exception = Assert.Throws<ArgumentException>(() =>
            Weights.Load(module, new Dictionary<string, Tensor> { ["weight"] = ones(1), ["bias"] = ones(3) }));

        Assert.Contains("'weight' is Float32 [1] and needs to be Float32 [3, 1]", exception.Message, StringComparison.Ordinal);
        using var after = Weights.Snapshot(module);
        TensorAssert.Identical(before, after);
    }

    [Fact]
    public void Load_SeveralDifferences_ListsAllAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var module = nn.BatchNorm1d(3);
        using var before = Weights.Snapshot(module);
        var weights = Fitting(module);
        weights.Remove("running_mean");
        weights["running_var"] = ones(4);
        weights["num_batches_tracked"] = tensor(1f);
        weights["extra"] = ones(2, 2);

        var exception = Assert.Throws<ArgumentException>(() => Weights.Load(module, weights));

        Assert.Contains("missing: 'running_mean' Float32 [3]", exception.Message, StringComparison.Ordinal);
        Assert.Contains("mismatched: 'running_var' is Float32 [4] and needs to be Float32 [3]", exception.Message, StringComparison.Ordinal);
        Assert.Contains("mismatched: 'num_batches_tracked' is Float32 [] and needs to be Int64 []", exception.Message, StringComparison.Ordinal);
        Assert.Contains("unexpected: 'extra' Float32 [2, 2]", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'bias'", exception.Message, StringComparison.Ordinal);
        using var after = Weights.Snapshot(module);
        TensorAssert.Identical(before, after);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float64)]
    public void Load_OtherFloatingPointType_IsConverted(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var module = nn.Linear(2, 1);

        Weights.Load(module, new Dictionary<string, Tensor> { ["weight"] = tensor(new[,] { { 1.5, -2 } }).to(type), ["bias"] = tensor(new[] { 0.25 }).to(type) });

        Assert.Equal(ScalarType.Float32, module.weight!.dtype);
        Assert.Equal([1.5f, -2f], module.weight.data<float>().ToArray());
        Assert.Equal([0.25f], module.bias!.data<float>().ToArray());
    }

    [Theory]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Bool)]
    [InlineData(ScalarType.ComplexFloat32)]
    public void Load_TypeThatIsNotFloatingPoint_IsRefused(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var module = nn.Linear(2, 1);
        var weights = new Dictionary<string, Tensor> { ["weight"] = ones(1, 2), ["bias"] = ones(1).to(type) };
        Assert.Contains($"'bias' is {type} [1]", Assert.Throws<ArgumentException>(() => Weights.Load(module, weights)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Snapshot_OfAModuleThatThenChanges_StaysAsItWas()
    {
        using var module = nn.Linear(2, 2);
        TensorDictionary snapshot;
        using (NewDisposeScope())
        {
            snapshot = Weights.Snapshot(module);
            var expected = module.weight!.detach().clone();
            using (no_grad())
            {
                module.weight.fill_(9);
            }

            TensorAssert.Identical(expected, snapshot["weight"], "weight");
        }

        Assert.False(snapshot["weight"].IsInvalid);
        Assert.All(snapshot.Values, tensor => Assert.False(tensor.requires_grad));
        Weights.Load(module, snapshot);
        TensorAssert.Identical(snapshot["weight"], module.weight!, "weight");
        snapshot.Dispose();
        Assert.False(module.weight!.IsInvalid);
    }

    [Fact]
    public void Load_InsideADisposeScope_LeavesTheModuleAlive()
    {
        using var module = nn.Linear(2, 2);
        using (NewDisposeScope())
        {
            Weights.Load(module, Fitting(module));
        }

        Assert.All(module.parameters(), parameter => Assert.False(parameter.IsInvalid));
    }

    private static Dictionary<string, Tensor> Fitting(nn.Module module) => module.state_dict().ToDictionary(
        item => item.Key,
        item => arange(item.Value.numel()).add(5).reshape(item.Value.shape).to(item.Value.dtype));
}
