using Diffusion.Configuration;
using Diffusion.Imaging;

namespace Diffusion.Sample;

/// <summary>Images that a run is not trained on: the test split of MNIST where its files are there.</summary>
internal static class HeldOutImages
{
    public static IImageSource? Open(DataOptions data)
    {
        try
        {
            return data.Kind == DataKind.Mnist ? Mnist.Open(data.Path, Split.Test) : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
