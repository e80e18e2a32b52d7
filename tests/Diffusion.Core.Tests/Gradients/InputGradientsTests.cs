using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class InputGradientsTests
{
    [Fact]
    public void Want_WithinAStretch_LetsGradientsThroughAndEndsEvaluationsAfterIt()
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        using var network = new TinyNetwork();
        var (denoiser, set) = (new NetworkDenoiser(network, NoiseSchedule.Linear()), new Counted());
        var averaged = new AveragedDenoiser(denoiser, network, set);
        var noisy = ones([1, 1, 4, 4], requires_grad: true);
        var level = NoiseSchedule.Linear().LevelAt(3);

        using (InputGradients.Want())
        {
            Assert.True(averaged.Denoise(noisy, level).requires_grad);
            using (InputGradients.Want())
            {
                Assert.True(averaged.Denoise(noisy, level).requires_grad);
            }

            Assert.Equal((1, 0), (set.In, set.Out));
            Assert.False(network.training);
            Assert.Throws<InvalidOperationException>(() => new AveragedDenoiser(denoiser, network, new Counted()).Denoise(noisy, level));
        }

        Assert.Equal((1, 1), (set.In, set.Out));
        Assert.True(network.training);
        Assert.False(averaged.Denoise(noisy, level).requires_grad);
        Assert.Equal((2, 2), (set.In, set.Out));
        using var training = NetworkAccess.Of(network).Train(); // nothing is left that it would wait for
    }

    private sealed class Counted : IWeightSet
    {
        public int In { get; private set; }

        public int Out { get; private set; }

        public void PutIn() => In++;

        public void TakeOut() => Out++;
    }
}
