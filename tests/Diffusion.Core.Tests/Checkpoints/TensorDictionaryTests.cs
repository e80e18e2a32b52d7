using static TorchSharp.torch;

namespace Diffusion;

public class TensorDictionaryTests
{
    [Fact]
    public void Indexer_UnknownName_NamesIt()
    {
        using var tensors = new TensorDictionary([KeyValuePair.Create("a", ones(1))]);
        Assert.Contains("'b'", Assert.Throws<KeyNotFoundException>(() => tensors["b"]).Message, StringComparison.Ordinal);
        Assert.False(tensors.ContainsKey("A"));
    }

    [Fact]
    public void Constructor_NameTwice_IsRefusedAndLeavesTheTensorsToTheScope()
    {
        Tensor first;
        using (NewDisposeScope())
        {
            first = ones(1);
            Assert.Throws<ArgumentException>(() => new TensorDictionary([KeyValuePair.Create("a", first), KeyValuePair.Create("a", ones(2))]));
        }

        Assert.True(first.IsInvalid);
    }

    [Fact]
    public void Dispose_TensorUnderTwoNames_DisposesItOnce()
    {
        var tensor = ones(1);
        var tensors = new TensorDictionary([KeyValuePair.Create("z", tensor), KeyValuePair.Create("a", tensor)]);
        Assert.Equal(["z", "a"], tensors.Keys);
        tensors.Dispose();
        tensors.Dispose();
        Assert.True(tensor.IsInvalid);
    }
}
