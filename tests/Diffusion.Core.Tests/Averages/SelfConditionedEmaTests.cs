using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class SelfConditionedEmaTests
{
    [Fact]
    public void Ema_SelfConditionedNetwork_IsGivenTheEstimateOfTheStepBefore()
    {
        using var network = new EstimateNetwork();
        using var images = new MemoryImages();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 1, BatchSize = 4 }, objective: new TrainingObjective { SelfConditioning = 0.5 });
        network.Estimates.Clear();
        using var drawn = new DdimSampler(4).Sample(trainer.Ema.Limited(ImageLimit.Clip()), [2, 1, 4, 4], seed: 1);
        Assert.Equal(4, network.Estimates.Count); // one evaluation a step, not two
        Assert.Equal(0, network.Estimates[0]);
        Assert.All(network.Estimates.Skip(1), estimate => Assert.NotEqual(0, estimate));
    }

    private sealed class EstimateNetwork : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "scale")]
        private readonly Parameter _scale = new(full([1], 0.5));

        public EstimateNetwork()
            : base(nameof(EstimateNetwork)) => RegisterComponents();

        /// <summary>The size of the estimate of each call.</summary>
        public List<double> Estimates { get; } = [];

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var scope = NewDisposeScope();
            var (estimate, noisy) = (images.narrow(1, 0, 1), images.narrow(1, 1, 1));
            Estimates.Add(estimate.abs().sum().item<float>());
            return ((noisy + (estimate * 0.1)) * _scale).MoveToOuterDisposeScope();
        }
    }
}
