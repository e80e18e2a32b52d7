namespace Diffusion.Configuration;

/// <summary>The kinds of data sets.</summary>
public enum DataKind
{
    /// <summary>MNIST's IDX files, gzip or not.</summary>
    Mnist = 0,

    /// <summary>A folder of image files; subfolders are labels.</summary>
    Folder = 1,
}
