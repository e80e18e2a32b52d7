namespace Diffusion;

/// <summary>In which order a run sees its images.</summary>
public enum ImageOrder
{
    /// <summary>Every image once an epoch, each epoch in an order of its own.</summary>
    Shuffled = 0,

    /// <summary>
    /// Every class equally often, whatever its size: one image of each in turn, the classes of a turn in random order, the images of a class
    /// shuffled anew when all have come. Classes without images are left out. Needs <see cref="IImageSource.Labels"/>.
    /// </summary>
    ClassBalanced = 1,
}
