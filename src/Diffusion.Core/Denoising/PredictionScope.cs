using TorchSharp;

namespace Diffusion;

/// <summary>Predictions and dispose scopes.</summary>
internal static class PredictionScope
{
    /// <summary>Moves the tensors of a prediction, as <c>MoveToOuterDisposeScope</c> moves one.</summary>
    public static Prediction MoveToOuterDisposeScope(this Prediction prediction) =>
        new(prediction.Image.MoveToOuterDisposeScope(), prediction.Variance?.MoveToOuterDisposeScope());
}
