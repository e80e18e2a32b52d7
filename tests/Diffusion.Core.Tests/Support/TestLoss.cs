using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Losses of images without conditions.</summary>
internal static class TestLoss
{
    public static TrainingLoss Of(
        nn.Module<Tensor, Tensor, Tensor> network, INoiseSchedule schedule, Parameterization parameterization, TrainingObjective objective, Condition? nullCondition = null) =>
        new(new NetworkConditions(network, nullCondition), schedule, parameterization, objective);

    public static Tensor PerSample(this TrainingLoss loss, Tensor images, TrainingDraw draw) => loss.PerSample(new ImageBatch(images), draw);

    public static Tensor Mean(this TrainingLoss loss, Tensor images, TrainingDraw draw) => loss.Evaluate(new ImageBatch(images), draw).Mean;
}
