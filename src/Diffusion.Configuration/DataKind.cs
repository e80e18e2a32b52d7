namespace Diffusion.Configuration;

/// <summary>The kinds of data sets.</summary>
public enum DataKind
{
    /// <summary>MNIST's IDX files, gzip or not.</summary>
    Mnist = 0,

    /// <summary>A folder of image files; subfolders are labels.</summary>
    Folder = 1,

    /// <summary>A folder of photographs of textures, small parts of which are the images; each photograph is a label.</summary>
    Textures = 2,
}
