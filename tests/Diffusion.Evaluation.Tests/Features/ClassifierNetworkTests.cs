using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>The network of the classifiers in libtorch's own layers, which are wrong for some numbers of channels.</summary>
public sealed class ClassifierNetworkTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void Gradients_InFloat32_AreThoseInFloat64(int images)
    {
        using var generator = new Generator(7, CPU);
        using var input = rand([images, 1, 28, 28], ScalarType.Float32, generator: generator).requires_grad_(true);
        using var labels = arange(images, ScalarType.Int64).remainder_(10);
        using var single = new ClassifierNetwork(10, seed: 1);
        using var twice = new ClassifierNetwork(10, seed: 1);
        twice.to(ScalarType.Float64);
        using var wide = input.detach().to(ScalarType.Float64).requires_grad_(true);

        MemoryPoison.Spread();
        using var expected = Gradients(twice, wide, labels);
        using var actual = Gradients(single, input, labels);

        Assert.Equal(14, actual.Count);
        foreach (var (name, gradient) in expected)
        {
            TensorAssert.Close(gradient, actual[name], 2e-5 * gradient.abs().max().item<double>(), 1e-4, name);
        }
    }

    [Fact]
    public void Weights_OfASeed_AreTheSameAndOfAnotherOthers()
    {
        using var one = Weights.Snapshot(new ClassifierNetwork(10, seed: 3));
        using var same = Weights.Snapshot(new ClassifierNetwork(10, seed: 3));
        using var other = Weights.Snapshot(new ClassifierNetwork(10, seed: 4));

        TensorAssert.Identical(one, same);
        Assert.False(one["conv1.weight"].bytes.SequenceEqual(other["conv1.weight"].bytes));
    }

    /// <summary>Of the loss by the weights and the input, and the features and the logits.</summary>
    private static TensorDictionary Gradients(ClassifierNetwork network, Tensor input, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var (features, logits) = network.call(input);
        nn.functional.cross_entropy(logits, labels).backward();
        return new TensorDictionary([
            .. network.named_parameters().Select(item => KeyValuePair.Create(item.name, item.parameter.grad!.clone())),
            KeyValuePair.Create("input", input.grad!.clone()), KeyValuePair.Create("logits", logits.detach().clone())]);
    }
}
