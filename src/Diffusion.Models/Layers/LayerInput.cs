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

    /// <summary>The embedding of the time, [1 or B, dimension].</summary>
    public static void CheckTime(Tensor time, long batch, int dimension, string layer)
    {
        ArgumentNullException.ThrowIfNull(time);
        if (time.dim() != 2 || time.size(1) != dimension || (time.size(0) != 1 && time.size(0) != batch))
        {
            throw new ArgumentException($"{layer} needs the time of {batch} images as [{(batch == 1 ? "1" : $"{batch} or 1")}, {dimension}]; it was given [{string.Join(", ", time.shape)}].", nameof(time));
        }
    }
}
