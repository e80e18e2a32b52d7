namespace Diffusion.Imaging;

/// <summary>Where the labels of the images of a folder come from.</summary>
public enum FolderLabels
{
    /// <summary>Every subfolder is a class; where there are none, the images have no labels.</summary>
    Subfolders = 0,

    /// <summary>The images have no labels, at whatever depth they lie.</summary>
    None = 1,
}
