using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A moving average of the weights of a network.</summary>
internal sealed class AveragedWeights(FlatParameters parameters, Tensor average) : IWeightSet
{
    public void PutIn()
    {
        ObjectDisposedException.ThrowIf(average.IsInvalid, typeof(Trainer));
        parameters.ThrowIfElsewhere();
        parameters.PointTo(average);
    }

    public void TakeOut() => parameters.PointTo(parameters.Values);
}
