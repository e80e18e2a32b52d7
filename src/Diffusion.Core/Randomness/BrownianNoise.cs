using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Noise that follows a Brownian path, one for every image: the noise between two times is (W(to) − W(from))/√|to − from|. It does not
/// depend on which other times were asked for, so that the same run with more steps follows the same path and comes closer to the same
/// image. Image <c>i</c> depends on the seed and <c>i</c> only, to the bit, whatever the batch; drawn on the CPU.
/// </summary>
/// <remarks>
/// The virtual Brownian tree of Scalable Gradients for Stochastic Differential Equations, arXiv:2001.01328, with the bridge
/// instead of the nearest node at its leaves, so that increments have exactly the right law between times at least 2⁻²⁴ apart.
/// <see cref="Draw"/>, the start of a run, is that of <see cref="SeededNoise"/> with the same seed and independent of the path.
/// </remarks>
internal sealed class BrownianNoise : NoiseSource
{
    private readonly SeededNoise _draws;
    private readonly long _seed;
    private readonly long _firstImage;
    private BrownianPath[] _paths = [];
    private long[] _shape = [];

    /// <summary>Starts at the first draw.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="firstImage">The number, within the run, of the first image of the batch; 0 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of the image is negative.</exception>
    public BrownianNoise(long seed, long firstImage = 0)
    {
        _draws = new SeededNoise(seed, firstImage);
        _seed = seed;
        _firstImage = firstImage;
    }

    /// <inheritdoc/>
    public override Tensor Draw(ReadOnlySpan<long> shape, Device device) => _draws.Draw(shape, device);

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A time is outside [0, 1].</exception>
    /// <exception cref="ArgumentException">The times are less than 2⁻²⁴ apart, or the shape is not that of the calls before.</exception>
    public override Tensor Between(ReadOnlySpan<long> shape, Device device, double clockFrom, double clockTo)
    {
        CheckTimes(clockFrom, clockTo);
        if (_paths.Length == 0)
        {
            _shape = shape.Length > 0 && !shape.ContainsAnyInRange(long.MinValue, 0)
                ? shape.ToArray()
                : throw new ArgumentException($"The shape must be [images, …], all at least 1; it is [{string.Join(", ", shape.ToArray())}].", nameof(shape));
            _paths = [.. Enumerable.Range(0, checked((int)shape[0])).Select(NewPath)];
        }
        else if (!shape.SequenceEqual(_shape))
        {
            throw new ArgumentException($"The batch of a run keeps its shape; it was [{string.Join(", ", _shape)}] and is [{string.Join(", ", shape.ToArray())}] now.", nameof(shape));
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        // Image by image: which elements vectorised loops take together then does not depend on the batch.
        var increments = new Tensor[_paths.Length];
        for (var i = 0; i < increments.Length; i++)
        {
            increments[i] = _paths[i].Increment(clockFrom, clockTo);
        }

        return stack(increments).to(device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _draws.Dispose();
        foreach (var path in _paths)
        {
            path.Dispose();
        }

        _paths = [];
        base.Dispose(disposing);
    }

    private static void CheckTimes(double clockFrom, double clockTo)
    {
        if (!(clockFrom >= 0 && clockFrom <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(clockFrom), clockFrom, "The clock runs from 0 to 1.");
        }

        if (!(clockTo >= 0 && clockTo <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(clockTo), clockTo, "The clock runs from 0 to 1.");
        }

        if (Math.Abs(clockTo - clockFrom) < BrownianPath.LeafWidth)
        {
            throw new ArgumentException(FormattableString.Invariant($"The times of a step must be at least 2^-{BrownianPath.Depth} apart; they are {clockFrom:R} and {clockTo:R}."), nameof(clockTo));
        }
    }

    private BrownianPath NewPath(int image) =>
        new(unchecked((long)SeedMixer.Mix(_seed, SeedMixer.Purpose.BrownianPath, _firstImage + image)), _shape[1..]);
}
