using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Load, freeze, replace the labels, train on, save, load: on a network of a few thousand weights.</summary>
public sealed class UNetClassesTests
{
    private static readonly UNetBuilder s_small = UNetBuilder.ForImages(channels: 1, size: 4)
        .With(options => options with { TimeDimension = 8, NormGroups = 4, Dialect = options.Dialect with { Labels = new LabelOptions { Classes = 4 } } })
        .Down(8, layers: 1).Mid(8, layers: 1).Up(8, layers: 1);

    [Fact]
    public void WithClasses_OtherNumber_KeepsEverythingButTheTable()
    {
        using var trained = s_small.Build(seed: 3);
        FineTuning.Freeze(trained, "down.*", "labels.*");
        using var changed = trained.WithClasses(6, startFrom: [null, 3, null, 0, null, 3], seed: 5);
        Assert.Equal(6, changed.Options.Dialect.Labels!.Classes);
        using var before = Weights.Snapshot(trained);
        foreach (var (name, tensor) in changed.state_dict())
        {
            if (name != "labels.table.weight")
            {
                TensorAssert.Identical(before[name], tensor, name);
            }
        }

        var (table, former) = (changed.get_parameter("labels.table.weight")!, before["labels.table.weight"]);
        Assert.Equal([6, 8], table.shape);
        TensorAssert.Identical(former[3], table[1], "row 1");
        TensorAssert.Identical(former[0], table[3], "row 3");
        TensorAssert.Identical(former[3], table[5], "row 5");
        Assert.True((table[0] - table[2]).abs().min().item<float>() > 0);
        Assert.Equal(
            trained.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name).Append("labels.table.weight").Order(StringComparer.Ordinal),
            changed.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name).Order(StringComparer.Ordinal));
        using var same = trained.WithClasses(6, startFrom: [null, 3, null, 0, null, 3], seed: 5);
        TensorAssert.Identical(changed.state_dict(), same.state_dict());
    }

    [Fact]
    public void WithClasses_NetworkWithAContext_KeepsIt()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var trained = s_small.WithContext(new ContextOptions { Channels = 6 }).Build(seed: 3);
        using var changed = trained.WithClasses(2, startFrom: [3, 1]);
        var (images, timesteps, context) = (randn(2, 1, 4, 4), tensor([7L, 900L]), randn(2, 5, 6));
        TensorAssert.Identical(trained.Predict(images, timesteps, tensor([3L, 1L]), context), changed.Predict(images, timesteps, tensor([0L, 1L]), context), "output");
    }

    [Fact]
    public void WithClasses_Mistakes_SayWhatIsNeeded()
    {
        using var network = s_small.Build();
        using var unlabelled = s_small.With(options => options with { Dialect = new() }).Build();
        Assert.Contains("no label table; its labels are none", Assert.Throws<InvalidOperationException>(() => unlabelled.WithClasses(3)).Message, StringComparison.Ordinal);
        Assert.Contains("each of the 3 classes; there are 2", Assert.Throws<ArgumentException>(() => network.WithClasses(3, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("startFrom[1] is 4; the network's classes are 0 to 3", Assert.Throws<ArgumentException>(() => network.WithClasses(2, [null, 4])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => network.WithClasses(0));
    }

    [Fact]
    public void FineTuning_LoadFreezeTrainSaveLoad_ChangesOnlyWhatIsTrained()
    {
        using var folder = new TemporaryFolder();
        var (pretrained, finetuned) = (folder.File("pretrained.safetensors"), folder.File("finetuned.safetensors"));
        using (var network = s_small.Build(seed: 3))
        {
            Safetensors.Save(pretrained, network.state_dict());
        }

        using var loaded = Loaded(pretrained, s_small);
        using var changed = loaded.WithClasses(2, startFrom: [null, 3]);
        FineTuning.Freeze(changed, "*");
        var trained = FineTuning.Unfreeze(changed, "labels.*", "up.*", "conv_out.*");
        using var before = Weights.Snapshot(changed);
        Train(changed);
        foreach (var (name, parameter) in changed.named_parameters())
        {
            if (trained.Contains(name))
            {
                Assert.False(parameter.eq(before[name]).all().item<bool>(), name);
            }
            else
            {
                TensorAssert.Identical(before[name], parameter, name);
                Assert.Null(parameter.grad);
            }
        }

        Safetensors.Save(finetuned, changed.state_dict());
        using var again = Loaded(finetuned, UNetBuilder.From(changed.Options));
        TensorAssert.Identical(changed.state_dict(), again.state_dict());
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (images, timesteps, labels) = (randn(2, 1, 4, 4), tensor([7L, 900L]), tensor([0L, 1L]));
        TensorAssert.Identical(changed.Predict(images, timesteps, labels), again.Predict(images, timesteps, labels), "output");
    }

    private static UNet Loaded(string file, UNetBuilder builder)
    {
        var network = builder.Build(seed: 8);
        using var weights = Safetensors.Load(file);
        Weights.Load(network, weights);
        return network;
    }

    private static void Train(UNet network)
    {
        using var flat = new FlatParameters(network);
        using var adam = new AdamOptimizer(flat.Values, new OptimizerOptions());
        using var generator = new Generator(2, CPU);
        for (var step = 1; step <= 4; step++)
        {
            using var scope = NewDisposeScope();
            using (no_grad())
            {
                flat.Gradients.zero_();
            }

            var (images, noise) = (randn([4, 1, 4, 4], generator: generator), randn([4, 1, 4, 4], generator: generator));
            nn.functional.mse_loss(network.Predict(images + noise, tensor([1L, 200L, 500L, 900L]), tensor([0L, 1L, 0L, 1L])), noise).backward();
            adam.Update(flat.Values, flat.Gradients, norm: 0, 1e-2, step, []);
        }
    }
}
