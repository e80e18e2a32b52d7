using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class LossFunctionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void PerSample_KnownErrors_AreTheMeansOverEachImage()
    {
        var target = zeros(2, 1, 1, 2);
        var prediction = tensor(new float[] { 1, -3, 0, 0.5f }).view(2, 1, 1, 2);
        Assert.Equal([5, 0.125], LossFunction.Mse.PerSample(prediction, target).Numbers());
        Assert.Equal([2, 0.25], LossFunction.L1.PerSample(prediction, target).Numbers());
        Assert.Equal([(0.5 + 4) / 2, 0.0625], LossFunction.Huber(2).PerSample(prediction, target).Numbers()); // 1²/2 and 2·(3 − 1)
    }

    [Fact]
    public void Mean_AnyLoss_IsTheMeanOverTheBatch()
    {
        using var generator = new Generator(4);
        var (prediction, target) = (randn([5, 2, 3, 3], generator: generator), randn([5, 2, 3, 3], generator: generator));
        foreach (var loss in new[] { LossFunction.Mse, LossFunction.L1, LossFunction.Huber(0.4) })
        {
            TensorAssert.Close(loss.PerSample(prediction, target).mean(), loss.Mean(prediction, target), 1e-7, 1e-6, loss.Name);
        }
    }

    [Fact]
    public void LossFunction_WrongArguments_SaysWhatWasGiven()
    {
        Assert.Contains("'prediction' must have the shape of 'target', [2, 3]; it has [2, 1]", Assert.Throws<ArgumentException>(() => LossFunction.Mse.PerSample(zeros(2, 1), zeros(2, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("scalar", Assert.Throws<ArgumentException>(() => LossFunction.L1.Mean(tensor(1f), tensor(1f))).Message, StringComparison.Ordinal);
        Assert.Equal("delta", Assert.Throws<ArgumentOutOfRangeException>(() => LossFunction.Huber(0)).ParamName);
    }

    public void Dispose() => _scope.Dispose();
}
