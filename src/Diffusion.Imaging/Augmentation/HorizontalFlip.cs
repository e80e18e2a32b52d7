using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Mirrors every other image, at random, left to right.</summary>
internal sealed class HorizontalFlip : Augmentation
{
    /// <inheritdoc/>
    public override Tensor Apply(Tensor image, SeededRandom random) => random.Next(2) == 0 ? image : image.flip(2);
}
