using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A trained network as a denoiser. Runs it in evaluation mode and without gradients, on any number of threads at once.</summary>
/// <remarks>Self-conditioning: Analog Bits, arXiv:2208.04202, section 3.2 and algorithm 2. Without an estimate the network sees zeros in its place.</remarks>
public sealed class NetworkDenoiser : IDenoiser
{
    private readonly nn.Module<Tensor, Tensor, Tensor> _network;
    private readonly NetworkConditions _conditions;
    private readonly bool _selfConditioning;

    /// <summary>Wraps a network; the caller keeps owning it.</summary>
    /// <param name="network">
    /// Takes the noisy samples [B, C, H, W] and timesteps [B] (Int64; Float32 where a sampler or the schedule asks for a fraction) and returns [B, C, H, W], or [B, 2·C, H, W] with a learned variance.
    /// One that takes labels or a context implements <see cref="IConditionalNetwork"/>.
    /// </param>
    /// <param name="schedule">The schedule that the network was trained with.</param>
    /// <param name="parameterization">What the network predicts; <see cref="Parameterization.Epsilon"/> by default.</param>
    /// <param name="nullCondition">What the network was trained to read as "no condition": a label, in general the number of classes, or a context [1, L, D], such as the encoding of an empty text; <see langword="null"/> (default) if there is none.</param>
    /// <param name="selfConditioning">Whether the network takes twice the channels, an estimate of x₀ first; <see langword="false"/> by default.</param>
    /// <exception cref="ArgumentException">The null condition is none that the network takes, or one for several samples.</exception>
    public NetworkDenoiser(
        nn.Module<Tensor, Tensor, Tensor> network,
        INoiseSchedule schedule,
        Parameterization? parameterization = null,
        Condition? nullCondition = null,
        bool selfConditioning = false)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(schedule);
        _network = network;
        _conditions = new NetworkConditions(network, nullCondition);
        _selfConditioning = selfConditioning;
        Schedule = schedule;
        Parameterization = parameterization ?? Parameterization.Epsilon;
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization { get; }

    /// <inheritdoc/>
    public Device Device => FirstParameter?.device ?? CPU;

    /// <inheritdoc/>
    /// <remarks>A network that returns twice the channels is taken to have learned the variance of the reverse step in the second half.</remarks>
    /// <exception cref="InvalidOperationException">The network needs a condition and has no null condition, or it returned another shape.</exception>
    /// <exception cref="ArgumentException">The condition is none that the network takes, or is for another number of samples.</exception>
    public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        if (estimate is not null)
        {
            Guard.SameShape(noisy, estimate);
        }

        using var noGradients = InputGradients.Off();
        using var scope = NewDisposeScope();
        using var evaluation = NetworkAccess.Of(_network).Evaluate();
        var type = FirstParameter?.dtype ?? noisy.dtype;
        var input = Parameterization.ToInput(noisy, [level]).to(type);
        if (_selfConditioning)
        {
            input = cat([(estimate ?? zeros_like(noisy)).to(type), input], 1);
        }

        var output = _conditions.Call(input, NetworkTimesteps.Of(level, noisy), condition ?? Condition.None).to(noisy.dtype);
        var (prediction, variance) = NetworkOutput.Split(noisy, output);
        return new Prediction(
            Parameterization.ToImage(noisy, prediction, [level]).MoveToOuterDisposeScope(),
            variance?.clone().MoveToOuterDisposeScope());
    }

    internal bool UsesEstimate => _selfConditioning;

    private Tensor? FirstParameter => _network.named_parameters().FirstOrDefault().parameter;

    internal IDisposable KeepWeights() => NetworkAccess.Of(_network).Keep();
}
