using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Checks the tokens and contexts that are given to a layer.</summary>
internal static class TokenInput
{
    /// <summary>Tokens [B, N, channels].</summary>
    public static void Check(Tensor tokens, int channels, string layer)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var shape = tokens.shape;
        if (shape.Length != 3 || shape[2] != channels)
        {
            throw new ArgumentException($"{layer} needs tokens of shape [B, N, {channels}]; it was given [{string.Join(", ", shape)}].", nameof(tokens));
        }
    }

    /// <summary>A context [batch, L, channels] with at least one token.</summary>
    public static void CheckContext(Tensor context, long batch, int channels, string layer)
    {
        ArgumentNullException.ThrowIfNull(context);
        var shape = context.shape;
        if (shape.Length != 3 || shape[0] != batch || shape[1] < 1 || shape[2] != channels)
        {
            throw new ArgumentException($"{layer} needs a context of shape [{batch}, L, {channels}] with L at least 1; it was given [{string.Join(", ", shape)}].", nameof(context));
        }
    }
}
