using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A trained network that is told a class label for every image. It becomes a denoiser when labels are bound to it:
/// <c>conditional.With(labels)</c>, <c>conditional.Unlabelled</c> or, with guidance, <c>conditional.Guided(labels, scale)</c>.
/// </summary>
/// <remarks>Classifier-Free Diffusion Guidance, arXiv:2207.12598, section 3.2: one network for both, with a label that stands for none.</remarks>
public sealed class ConditionalDenoiser
{
    private readonly nn.Module<Tensor, Tensor, Tensor, Tensor> _network;
    private readonly LabelledDenoiser? _unlabelled;

    /// <summary>Wraps a network; the caller keeps owning it.</summary>
    /// <param name="network">Takes the noisy images [B, C, H, W], timesteps [B] (Int64; float32 where a sampler or the schedule asks for a fraction) and labels [B] (Int64) and returns [B, C, H, W], or [B, 2·C, H, W] with a learned variance.</param>
    /// <param name="schedule">The schedule that the network was trained with.</param>
    /// <param name="parameterization">What the network predicts; <see cref="Parameterization.Epsilon"/> by default.</param>
    /// <param name="nullLabel">The label that the network was trained to read as "no label", at least 0; <see langword="null"/> (default) if it has none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The null label is negative.</exception>
    public ConditionalDenoiser(
        nn.Module<Tensor, Tensor, Tensor, Tensor> network, INoiseSchedule schedule, Parameterization? parameterization = null, long? nullLabel = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(schedule);
        if (nullLabel is { } label)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(label, nameof(nullLabel));
            _unlabelled = new LabelledDenoiser(this, new ImageLabels(label));
        }

        _network = network;
        Schedule = schedule;
        Parameterization = parameterization ?? Parameterization.Epsilon;
        NullLabel = nullLabel;
    }

    /// <summary>The schedule that the network was trained with.</summary>
    public INoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization { get; }

    /// <summary>The label that the network reads as "no label", or <see langword="null"/> if it has none.</summary>
    public long? NullLabel { get; }

    /// <summary>Where the network computes.</summary>
    public Device Device => _network.parameters().FirstOrDefault()?.device ?? CPU;

    /// <summary>The denoiser of images without a label, for batches of any size.</summary>
    /// <exception cref="InvalidOperationException">There is no null label.</exception>
    public IDenoiser Unlabelled => _unlabelled
        ?? throw new InvalidOperationException($"Without labels the network needs the label that it reads as \"no label\"; give {nameof(NullLabel)} to the constructor.");

    /// <summary>Binds a label to every image of the batch.</summary>
    /// <param name="labels">One label an image, each at least 0; one label alone serves a batch of any size.</param>
    /// <returns>The denoiser of images with these labels.</returns>
    /// <exception cref="ArgumentException">There is no label, or one is negative.</exception>
    public IDenoiser With(params ReadOnlySpan<long> labels) => new LabelledDenoiser(this, new ImageLabels(labels));

    /// <inheritdoc cref="With(ReadOnlySpan{long})"/>
    /// <param name="labels">Int64, [B]: one label an image, each at least 0; copied.</param>
    public IDenoiser With(Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.dtype != ScalarType.Int64 || labels.dim() != 1)
        {
            throw new ArgumentException($"Labels must be Int64 of shape [images]; these are {labels.dtype} of shape [{string.Join(", ", labels.shape)}].", nameof(labels));
        }

        using var local = labels.cpu();
        return With(local.data<long>().ToArray());
    }

    /// <summary>One call of the network.</summary>
    internal Prediction Predict(Tensor noisy, NoiseLevel level, long[] labels) => NetworkRun.Predict(
        _network, Parameterization, noisy, level, (input, timesteps) => _network.call(input, timesteps, tensor(labels, ScalarType.Int64, noisy.device)));
}
