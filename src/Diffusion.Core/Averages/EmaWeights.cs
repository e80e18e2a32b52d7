using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The exponential moving average of one flat buffer of weights.</summary>
internal sealed class EmaWeights : IDisposable
{
    private readonly int _batchSize;

    public EmaWeights(Tensor values, EmaOptions options, int batchSize = 1)
    {
        (Options, _batchSize) = (options, batchSize);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Values = FlatBuffer.Create(values.device, values.shape);
        Values.copy_(values);
    }

    public EmaOptions Options { get; }

    /// <summary>The average.</summary>
    public Tensor Values { get; }

    /// <summary>The weight of the new weights after an optimizer step, 0 where they are left out.</summary>
    /// <param name="update">The number of updates before this one.</param>
    public double WeightAt(long update) => update % Options.Every == 0 ? 1 - Options.DecayAt(update, _batchSize) : 0;

    public void Dispose() => Values.Dispose();
}
