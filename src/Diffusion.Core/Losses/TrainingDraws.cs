using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Draws what is random in a training batch.</summary>
internal sealed class TrainingDraws(TrainingObjective objective, INoiseSchedule schedule, double conditionDropout)
{
    /// <summary>The losses of the run so far, where timesteps are drawn by them: state that belongs into a checkpoint.</summary>
    public LossHistory? History { get; } = objective.Timesteps.NewHistory(schedule);

    /// <summary>Draws timesteps, noise, offset, whether the network sees its own estimate, and which conditions are dropped, in this order.</summary>
    /// <param name="shape">[B, C, H, W].</param>
    /// <param name="generator">Where all random numbers come from; on the CPU.</param>
    /// <returns>The draw, its tensors on the CPU and for the caller to dispose.</returns>
    public TrainingDraw Draw(ReadOnlySpan<long> shape, Generator generator) => Draw(objective.Timesteps, shape, generator);

    /// <summary>
    /// A draw in which that of each sample is a function of its seed alone: not of the other samples, nor of the losses so far. No condition is dropped, and the network sees
    /// its own estimate if it ever does.
    /// </summary>
    /// <param name="sample">The shape of a sample, [C, H, W].</param>
    /// <param name="seeds">One a sample.</param>
    public TrainingDraw DrawFixed(ImageShape sample, IEnumerable<ulong> seeds)
    {
        using var scope = NewDisposeScope();
        var distribution = History is null ? objective.Timesteps : TimestepDistribution.Uniform;
        var draws = new List<TrainingDraw>();
        foreach (var seed in seeds)
        {
            using var generator = new Generator(seed, CPU);
            draws.Add(Draw(distribution, sample.Batch(1), generator));
        }

        return new(TimestepDraw.Of(draws.ConvertAll(draw => draw.Timesteps)), cat(draws.ConvertAll(draw => draw.Noise)).MoveToOuterDisposeScope())
        {
            Offset = draws[0].Offset is null ? null : cat(draws.ConvertAll(draw => draw.Offset!)).MoveToOuterDisposeScope(),
            SelfConditioned = objective.SelfConditioning > 0,
            KeepsNoise = true,
        };
    }

    /// <summary>Adds the losses of a batch to the <see cref="History"/>, where there is one and they are finite.</summary>
    public void Remember(TrainingDraw draw, IReadOnlyList<double> losses)
    {
        if (History is not null && draw.Timesteps.Timesteps is { } timesteps && losses.All(double.IsFinite))
        {
            History.Add(timesteps, losses);
        }
    }

    private TrainingDraw Draw(TimestepDistribution distribution, ReadOnlySpan<long> shape, Generator generator)
    {
        var timesteps = distribution.Draw(schedule, (int)shape[0], generator, History);
        var noise = randn(shape.ToArray(), ScalarType.Float32, generator: generator);
        var offset = objective.OffsetNoise > 0 ? randn([shape[0], shape[1]], ScalarType.Float32, generator: generator) : null;
        var estimated = objective.SelfConditioning is { } share && UniformDraws.Of(1, generator, stratified: false)[0] < share;
        return new(timesteps, noise, offset, estimated)
        {
            Dropped = conditionDropout > 0 ? [.. UniformDraws.Of((int)shape[0], generator, stratified: false).Select(draw => draw < conditionDropout)] : null,
        };
    }
}
