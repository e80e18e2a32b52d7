using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Images as they emerge from noise: two rows an image, what is there and what the network takes it for.</summary>
/// <param name="images">How many of a batch.</param>
internal sealed class DenoisingStrips(int images) : IDisposable
{
    private const int MostColumns = 10;

    private readonly List<(Tensor Noisy, Tensor Image)> _columns = [];

    /// <summary>Keeps a step where it is one of those that are shown: the last, and others at equal distances before it.</summary>
    public void Add(SamplingStep step)
    {
        var columns = Math.Min(MostColumns, step.Count);
        if ((step.Index * columns / step.Count) != ((step.Index + 1) * columns / step.Count))
        {
            _columns.Add((Keep(step.Noisy, step.To.Scale), Keep(step.Image, 1)));
        }
    }

    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        var rows = stack([.. _columns.Select(column => stack([column.Noisy, column.Image], 1))], 2).flatten(0, 2); // P columns of [N, 2, C, H, W] → [N·2·P, C, H, W]
        Picture.Save(folder, "denoising", rows, _columns.Count, $"{images} image(s) as they emerge from noise in {_columns.Count} of the steps, each above what the network takes it for");
    }

    public void Dispose()
    {
        foreach (var (noisy, image) in _columns)
        {
            noisy.Dispose();
            image.Dispose();
        }
    }

    /// <summary>The first images, in every schedule as bright as images are: x / √(α² + σ²).</summary>
    private Tensor Keep(Tensor batch, double scale)
    {
        using var scope = NewDisposeScope();
        return (batch.narrow(0, 0, images) / scale).cpu().DetachFromDisposeScope();
    }
}
