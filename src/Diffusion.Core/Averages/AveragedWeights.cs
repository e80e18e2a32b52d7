using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A moving average of the weights of a network.</summary>
internal sealed class AveragedWeights(FlatParameters parameters, Tensor average) : IWeightSet
{
    public void PutIn()
    {
        if (average.IsInvalid)
        {
            throw new ObjectDisposedException("Trainer", "The trainer was disposed, and its averaged weights with it. Export them before, and load the file.");
        }

        parameters.ThrowIfElsewhere();
        parameters.PointTo(average);
    }

    public void TakeOut() => parameters.PointTo(parameters.Values);
}
