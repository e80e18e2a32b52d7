using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The result of one reverse step. Owns its tensors.</summary>
internal sealed class ReverseStep : IDisposable
{
    internal ReverseStep(Tensor previous, Tensor image)
    {
        Previous = previous;
        Image = image;
    }

    /// <summary>x_{t−1}, [B, C, H, W].</summary>
    public Tensor Previous { get; }

    /// <summary>x̂₀, the clean image as predicted at this step, [B, C, H, W].</summary>
    public Tensor Image { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Previous.Dispose();
        Image.Dispose();
    }
}
