using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Puts other weights into a network for the time of a call, and the trained ones back after it, so that no second network is needed.</summary>
internal static class ExchangedWeights
{
    public static T Run<T>(Tensor weights, Tensor others, Func<T> call)
    {
        using var noGradients = no_grad();
        using var trained = weights.clone();
        weights.copy_(others);
        try
        {
            return call();
        }
        finally
        {
            weights.copy_(trained);
        }
    }
}
