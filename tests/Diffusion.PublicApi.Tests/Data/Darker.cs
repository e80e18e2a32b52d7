using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>Takes away a random part, at most half, of the distance to black.</summary>
internal sealed class Darker : Augmentation
{
    public override Tensor Apply(Tensor image, SeededRandom random) => ((image + 1) * (1 - (0.5 * random.NextDouble()))) - 1;
}
