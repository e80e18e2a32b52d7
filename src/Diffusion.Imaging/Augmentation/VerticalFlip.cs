using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Mirrors every other image, at random, top to bottom.</summary>
internal sealed class VerticalFlip : Augmentation
{
    /// <inheritdoc/>
    public override Tensor Apply(Tensor image, SeededRandom random) => random.Next(2) == 0 ? image : image.flip(1);
}
