namespace Diffusion.Imaging;

/// <summary>What happens to an image whose aspect ratio is not that of the size it is brought to.</summary>
public enum ImageFit
{
    /// <summary>Keeps the aspect ratio: the largest centred part that has the wanted one is kept, what lies outside is cut off.</summary>
    CropToFill,

    /// <summary>Keeps the whole image: width and height are scaled by different factors.</summary>
    Stretch,
}
