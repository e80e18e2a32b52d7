using static Diffusion.Models.PickleBytes;

namespace Diffusion.Models;

/// <summary>Which of the dictionaries of a training script's checkpoint is the network.</summary>
public sealed class CheckpointDictionaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void OpenNetwork_TensorsBesideTheNetwork_AreLeftOutAndSaid()
    {
        Save(("model", State()), ("optimizer", Optimizer()), ("fixed_noise", Tensor(4)), ("epoch", Integer(3)));
        Takes("model/", "1 of 'fixed_noise', 1 of 'optimizer'");
        Save(("net", State()), ("mean", Tensor(4)), ("std", Tensor(4)), ("optim", Optimizer()));
        Takes("net/", "1 of 'mean', 1 of 'optim', 1 of 'std'");
        Save(("net", State()), ("train.loss", Tensor(0)), ("samples", Tensor(4)));
        Takes("net/", "1 of 'samples', 1 of 'train'");

        // A network of one layer has no dots: what is beside it says that it lies in a checkpoint.
        Save(("model", Dictionary(("weight", Tensor(2)), ("bias", Tensor(1)))), ("fixed_noise", Tensor(4)), ("epoch", Integer(3)));
        using var layer = WeightFiles.OpenNetwork(_folder.File("a.pth"));
        Assert.Equal(["weight", "bias"], layer.Tensors.Keys);
    }

    [Fact]
    public void OpenNetwork_DictionariesWithinANetworks_StayItsOwn()
    {
        Save(("a.weight", Tensor(2)), ("a.extra", Dictionary(("b.c", Tensor(2)))));
        Keys("a.weight", "a.extra/b.c");
        Save(("kernel", Tensor(4)), ("dense", Dictionary(("kernel", Tensor(2)))));
        Keys("kernel", "dense/kernel");
    }

    [Theory]
    [InlineData("upsampler")]
    [InlineData("random_unet")]
    [InlineData("argo")]
    [InlineData("lossless")]
    [InlineData("noise_scheduler_net")]
    [InlineData("optics")]
    [InlineData("sampler")]
    public void OpenNetwork_KeyThatSoundsLikeSomethingElse_IsJudgedByItsForm(string key)
    {
        Save((key, State()));
        Keys("conv.weight", "conv.bias");
        Save(("model", State()), (key, State()));
        var message = Assert.Throws<InvalidDataException>(() => WeightFiles.OpenNetwork(_folder.File("a.pth"))).Message;
        Assert.Contains($"several networks: 'model' (2 tensors), '{key}' (2 tensors)", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("optimizer_state_dict")]
    [InlineData("optimizerG")]
    [InlineData("optim")]
    [InlineData("lr_schedulers")]
    [InlineData("rng_state")]
    [InlineData("grad_scaler")]
    [InlineData("args")]
    public void OpenNetwork_StateWithoutTheFormOfOne_IsKnownByItsKey(string key)
    {
        Save(("model", State()), (key, Dictionary(("exp_avg", Tensor(1)), ("step", Tensor(0)))));
        Takes("model/", $"2 of '{key}'");
        Save((key, Dictionary(("exp_avg", Tensor(1)))));
        Assert.Contains("the state of an optimizer or the like", Assert.Throws<InvalidDataException>(() => WeightFiles.OpenNetwork(_folder.File("a.pth"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenNetwork_StatesOfOptimizersByForm_AreNoNetworksUnderAnyKey()
    {
        Save(("model", State()), ("adam", Optimizer()), ("distributed", Dictionary(("state.conv.weight.exp_avg", Tensor(2)), ("param_groups.conv.weight.lr", Integer(1)))));
        Takes("model/", "1 of 'adam', 1 of 'distributed'");
        Save(("model", State()), ("optimizer", Dictionary(("exp_avg", State()))));
        Takes("model/", "2 of 'optimizer'");
    }

    [Fact]
    public void OpenNetwork_AverageWithTensorsBesideIt_IsRefusedSinceItHasNoNames()
    {
        Save(("decay", Tensor(0)), ("num_updates", Tensor(0)), ("shadow_params", [(byte)']', (byte)'(', .. Tensor(2), .. Tensor(1), (byte)'e']));
        Assert.Contains("'shadow_params', as EMAModel of diffusers", Assert.Throws<InvalidDataException>(() => WeightFiles.OpenNetwork(_folder.File("a.pth"))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A tensor of some dimensions, each of one element.</summary>
    private static byte[] Tensor(int dimensions)
    {
        var ones = Enumerable.Repeat(1L, dimensions).ToArray();
        return PickleBytes.Tensor(Storage("FloatStorage", "0", 1), 0, ones, ones);
    }

    private static byte[] State() => Dictionary(("conv.weight", Tensor(4)), ("conv.bias", Tensor(1)));

    private static byte[] Optimizer() => Dictionary(("state", Dictionary(("0", Dictionary(("exp_avg", Tensor(4)))))), ("param_groups", [(byte)']']));

    private void Save(params (string Key, byte[] Value)[] items) => _folder.Write("a.pth", Zip(Dictionary(items), ("0", new byte[4])));

    private void Keys(params string[] expected)
    {
        using var weights = WeightFiles.OpenNetwork(_folder.File("a.pth"));
        Assert.Equal(expected, weights.Tensors.Keys);
    }

    private void Takes(string prefix, string leftOut)
    {
        using var weights = WeightFiles.OpenNetwork(_folder.File("a.pth"));
        Assert.Equal(["conv.weight", "conv.bias"], weights.Tensors.Keys);
        Assert.Equal($"Taken are the 2 tensors under '{prefix}'; left out are {leftOut}.", Assert.Single(weights.Notes));
    }
}
