using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Takes the output of a network apart.</summary>
internal static class NetworkOutput
{
    /// <summary>The prediction and, if there are twice the channels of the input, the learned variance: views of the output.</summary>
    public static (Tensor Prediction, Tensor? Variance) Split(Tensor noisy, Tensor output)
    {
        var channels = noisy.dim() > 1 ? noisy.shape[1] : 0;
        if (output.dim() == noisy.dim() && channels > 0 && output.shape[1] == 2 * channels)
        {
            return (output.narrow(1, 0, channels), output.narrow(1, channels, channels));
        }

        return output.shape.AsSpan().SequenceEqual(noisy.shape)
            ? (output, null)
            : throw new InvalidOperationException($"The network must return the shape of its input, [{string.Join(", ", noisy.shape)}], or twice its channels; it returned [{string.Join(", ", output.shape)}].");
    }
}
