using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What all tasks check of their arguments.</summary>
internal static class TaskGuard
{
    public static void Images(Tensor images, string name)
    {
        ArgumentNullException.ThrowIfNull(images, name);
        if (images.dim() != 4 || images.numel() == 0 || !images.is_floating_point())
        {
            throw new ArgumentException($"'{name}' must be floating-point images, [B, C, H, W], none of them 0; it is {images.dtype} of shape [{string.Join(", ", images.shape)}].", name);
        }
    }

    public static void Descends(Sampler sampler, string name)
    {
        ArgumentNullException.ThrowIfNull(sampler, name);
        if (sampler.Ascends)
        {
            throw new ArgumentException($"'{name}' must go from noise to image; {sampler.GetType().Name} goes from image to noise.", name);
        }
    }
}
