namespace Diffusion;

public class GoldenTests
{
    [Fact]
    public void Case_EveryOne_HasItsNameAndItsTensors()
    {
        var names = Golden.Cases("explainingai").Concat(Golden.Cases("pth")).ToList();
        Assert.Equal(15, names.Count);
        Assert.All(names, name =>
        {
            using var golden = Golden.Case(name);
            Assert.Equal(name, golden.Json.GetProperty("id").GetString());
            Assert.NotEmpty(golden.Tensors);
        });
    }

    [Fact]
    public void WithPrefix_StateDictionary_HasThePlainNames()
    {
        using var golden = Golden.Case("explainingai/unet_L1");
        var weights = golden.WithPrefix("sd.");
        Assert.Equal(golden.Json.GetProperty("tensors").GetProperty("sd.*").GetProperty("count").GetInt32(), weights.Count);
        Assert.Equal(golden.Json.GetProperty("parameter_count").GetInt64(), weights.Values.Sum(tensor => tensor.numel()));
        Assert.Equal(new long[] { 16, 1, 3, 3 }, weights["conv_in.weight"].shape);
    }

    [Fact]
    public void Case_Unknown_SaysWhereItLooked() =>
        Assert.Contains("'no/such'", Assert.Throws<DirectoryNotFoundException>(() => Golden.Case("no/such")).Message, StringComparison.Ordinal);
}
