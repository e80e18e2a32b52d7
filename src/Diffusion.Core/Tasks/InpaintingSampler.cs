using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Inpainting: a sampler around another one that, after each step, replaces the known pixels by those of the image, with the noise of the level that was reached.
/// Jumps back to noisier levels harmonise the two parts (resampling). Works with every sampler that goes from noise to image.
/// </summary>
/// <remarks>
/// RePaint, arXiv:2201.09865, algorithm 1 and appendix B. At the clean end the known pixels are those of the image, exactly. For the inner sampler each step is one of its
/// own run without jumps; after a jump its history is empty. A jump is one draw from the forward process a level.
/// </remarks>
public sealed class InpaintingSampler : Sampler
{
    private readonly Sampler _inner;
    private readonly Tensor _images;
    private readonly Tensor _mask;
    private readonly int _jumpLength;
    private readonly int _resamples;

    /// <summary>Makes the sampler.</summary>
    /// <param name="inner">Computes the steps.</param>
    /// <param name="images">The known pixels, [B or 1, C, H, W] in [−1, 1]; any value where the mask is 0. The caller keeps owning it, alive and unchanged as long as the sampler is used.</param>
    /// <param name="mask">1 for known pixels, 0 for those to be inpainted; [B or 1, 1 or C, H, W], any type. The caller keeps owning it.</param>
    /// <param name="jumpLength">The levels of a jump back, at least 1 and less than the inner sampler's steps; 10 by default, as in the paper. <c>jump_length</c> in diffusers.</param>
    /// <param name="resamples">How many times each part of the run is sampled, at least 1; 10 by default, as in the paper. With 1 there are no jumps. <c>jump_n_sample</c> in diffusers.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together, the mask holds other values, or the inner sampler goes from image to noise.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public InpaintingSampler(Sampler inner, Tensor images, Tensor mask, int jumpLength = 10, int resamples = 10)
        : base(null, new SamplerOptions { Spacing = inner?.Spacing })
    {
        TaskGuard.Descends(inner!, nameof(inner));
        TaskGuard.Images(images, nameof(images));
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentOutOfRangeException.ThrowIfLessThan(jumpLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        ThrowUnlessMask(images.shape, mask);
        (_inner, _images, _mask, _jumpLength, _resamples) = (inner!, images, mask, jumpLength, resamples);
    }

    /// <inheritdoc/>
    protected internal override int HistoryLength => _inner.HistoryLength;

    /// <inheritdoc/>
    protected internal override ScalarType? StateType => _inner.StateType;

    internal override ImageLimit Limit => _inner.Limit;

    internal override bool GoesBack(IReadOnlyList<NoiseLevel> levels, int index) => base.GoesBack(levels, index) || (levels is JumpLevels jumps && jumps.GoesBack(index));

    internal override double StartDeviation(NoiseLevel first) => _inner.StartDeviation(first);

    /// <summary>The levels of the inner sampler, with the jumps.</summary>
    /// <inheritdoc/>
    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule) => new JumpLevels(_inner.Levels(schedule), _jumpLength, _resamples);

    /// <summary>The inner sampler's kind of noise; with jumps independent draws, as a path has the same noise each time.</summary>
    /// <inheritdoc/>
    protected internal override NoiseSource CreateNoise(long seed) => _resamples > 1 ? new SeededNoise(seed) : _inner.CreateNoise(seed);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ThrowUnlessFits(context.Noisy.shape);
        var result = _inner.Take(context.Levels is JumpLevels levels ? levels.Plain(context) : context);
        using var alpha = context.To.Alpha.ToScalar();
        using var sigma = context.To.Sigma.ToScalar();
        var known = _images.to(context.Noisy.device) * alpha;
        if (context.To.Sigma > 0)
        {
            known = known.Plus(context.DrawNoise() * sigma); // [B or 1, C, H, W] → [B, C, H, W]
        }

        return result with { Next = where(_mask.to(context.Noisy.device) == Scalars.One, StepMath.Like(result.Next, known), result.Next) };
    }

    private static void ThrowUnlessMask(long[] images, Tensor mask)
    {
        var shape = mask.shape;
        if (shape.Length != 4 || (shape[0] != 1 && images[0] != 1 && shape[0] != images[0]) || (shape[1] != 1 && shape[1] != images[1]) || shape[2] != images[2] || shape[3] != images[3])
        {
            throw new ArgumentException(
                $"'mask' must have the shape [{images[0]} or 1, {images[1]} or 1, {images[2]}, {images[3]}], to fit 'images'; it has [{string.Join(", ", shape)}].", nameof(mask));
        }

        using var scope = NewDisposeScope();
        var other = (mask != Scalars.Zero).logical_and(mask != Scalars.One).sum().item<long>();
        if (other > 0)
        {
            throw new ArgumentException($"'mask' must hold 1 (known) and 0 (to be inpainted) only; {other} of its {mask.numel()} values are others.", nameof(mask));
        }
    }

    private void ThrowUnlessFits(long[] run)
    {
        if (!Fits(_images.shape[0]) || !Fits(_mask.shape[0]) || !run.AsSpan(1).SequenceEqual(_images.shape.AsSpan(1)))
        {
            throw new InvalidOperationException(
                $"The run makes images of shape [{string.Join(", ", run)}]; the known ones are [{string.Join(", ", _images.shape)}] with a mask of [{string.Join(", ", _mask.shape)}].");
        }

        bool Fits(long count) => count == 1 || count == run[0];
    }
}
