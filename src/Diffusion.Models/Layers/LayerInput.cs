using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Checks what is given to a layer.</summary>
internal static class LayerInput
{
    /// <summary>Images [B, channels, H, W].</summary>
    public static void CheckImages(Tensor input, int channels, string layer)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() != 4 || input.size(1) != channels)
        {
            throw new ArgumentException($"{layer} needs an input of shape [B, {channels}, H, W]; it was given [{string.Join(", ", input.shape)}].", nameof(input));
        }
    }
}
