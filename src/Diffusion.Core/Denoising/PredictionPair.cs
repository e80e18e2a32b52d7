using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Two predictions that one call of a network made for a doubled batch.</summary>
internal static class PredictionPair
{
    /// <summary>Takes a prediction for [2·B, …] apart into two for [B, …]: copies, so that disposing one frees it. The whole is not disposed.</summary>
    public static (Prediction First, Prediction Second) Halves(Prediction both)
    {
        using var scope = NewDisposeScope();
        return (Half(0), Half(1));

        Prediction Half(int half) => new(Part(both.Image, half), both.Variance is null ? null : Part(both.Variance, half));

        static Tensor Part(Tensor pair, int half) => pair.narrow(0, half * (pair.shape[0] / 2), pair.shape[0] / 2).clone().MoveToOuterDisposeScope();
    }
}
