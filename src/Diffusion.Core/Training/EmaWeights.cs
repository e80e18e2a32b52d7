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
        Values = values.detach().clone().DetachFromDisposeScope();
    }

    public EmaOptions Options { get; }

    /// <summary>The average.</summary>
    public Tensor Values { get; }

    /// <summary>Takes in the weights after an optimizer step.</summary>
    /// <param name="values">The weights.</param>
    /// <param name="update">The number of updates before this one.</param>
    public void Update(Tensor values, long update)
    {
        if (update % Options.Every != 0)
        {
            return;
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Values.lerp_(values, 1 - Options.DecayAt(update, _batchSize));
    }

    public void Dispose() => Values.Dispose();
}
