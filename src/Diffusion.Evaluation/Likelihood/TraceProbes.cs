using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Directions for the trace of a Jacobian: random ones of unit covariance (Hutchinson's estimator), or one for each value of an image, which give it exactly. Owns its tensors.</summary>
/// <remarks>FFJORD, arXiv:1810.01367, section 3.1: the same directions over the whole way of an image, so that the solver follows one smooth function.</remarks>
internal sealed class TraceProbes : IDisposable
{
    private TraceProbes(IReadOnlyList<Tensor> directions, bool isExact) => (Directions, IsExact) = (directions, isExact);

    /// <summary>The directions, each of the shape of the batch.</summary>
    public IReadOnlyList<Tensor> Directions { get; }

    /// <summary>What the sum of the products is multiplied with.</summary>
    public double Weight => IsExact ? 1 : 1.0 / Directions.Count;

    /// <summary>Whether there is one for each value of an image.</summary>
    public bool IsExact { get; }

    /// <summary>Directions for a batch.</summary>
    /// <param name="images">Gives shape, type and device.</param>
    /// <param name="options">How many, and of which kind.</param>
    /// <param name="noise">Where random ones come from: one draw each.</param>
    public static TraceProbes For(Tensor images, ProbabilityFlowOptions options, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var values = images.numel() / images.shape[0];
        var exact = options.Probes >= values;
        Tensor[] directions = exact ? [.. Units(images, values)] : [.. Enumerable.Range(0, options.Probes).Select(_ => Draw(images, options.GaussianProbes, noise))];
        return new TraceProbes(Array.ConvertAll(directions, direction => direction.MoveToOuterDisposeScope()), exact);
    }

    public void Dispose()
    {
        foreach (var direction in Directions)
        {
            direction.Dispose();
        }
    }

    private static IEnumerable<Tensor> Units(Tensor images, long values)
    {
        using var all = eye(values, dtype: images.dtype, device: images.device);
        for (var i = 0; i < values; i++)
        {
            yield return all[i].view([1, .. images.shape[1..]]).expand(images.shape);
        }
    }

    private static Tensor Draw(Tensor images, bool gaussian, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var drawn = noise.Draw(images.shape, images.device).to(images.dtype);
        return (gaussian ? drawn : (drawn.ge(Scalars.Zero).to(images.dtype) * Scalars.Two) - Scalars.One).MoveToOuterDisposeScope();
    }
}
