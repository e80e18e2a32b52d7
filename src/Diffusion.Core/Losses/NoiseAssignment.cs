using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Gives each image of a batch the noise that lies near it, so that their paths cross less.</summary>
/// <remarks>Immiscible Diffusion, arXiv:2406.12303, algorithm 1: the assignment with the smallest sum of Euclidean distances.</remarks>
internal static class NoiseAssignment
{
    /// <summary>The noise of each image.</summary>
    /// <param name="images">x₀, [B, …].</param>
    /// <param name="noise">ε, the shape of <paramref name="images"/>.</param>
    /// <returns>B different indices into the noise: that of image i at i.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is not finite.</exception>
    public static IReadOnlyList<int> Nearest(Tensor images, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(noise);
        Guard.SameShape(images, noise);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var distances = cdist(images.flatten(1), noise.flatten(1)).to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        return Array.TrueForAll(distances, double.IsFinite)
            ? LinearAssignment.Solve(distances, (int)images.shape[0])
            : throw new ArgumentException("Images and noise must be finite to be assigned to each other; a distance is not.", nameof(images));
    }
}
