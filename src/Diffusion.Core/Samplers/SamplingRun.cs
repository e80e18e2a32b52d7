using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The state of a run of a sampler. Its tensors are detached, so no scope is open between steps.</summary>
internal sealed class SamplingRun : IDisposable
{
    private readonly Sampler _sampler;
    private readonly IDenoiser _denoiser;
    private readonly IReadOnlyList<NoiseLevel> _levels;
    private readonly NoiseSource _noise;
    private readonly List<PastStep> _past = [];
    private readonly ScalarType _type;
    private readonly WeightCache _weights = new();
    private readonly SelfEstimate _estimate;
    private readonly IDisposable? _kept;
    private Tensor _current;
    private Tensor? _image;
    private int _index;

    /// <param name="sampler">Implements the steps.</param>
    /// <param name="denoiser">Predicts clean images.</param>
    /// <param name="levels">The levels of the run, the last included.</param>
    /// <param name="firstStep">The step to begin with.</param>
    /// <param name="start">x at the level of the first step; copied.</param>
    /// <param name="noise">Where the noise comes from.</param>
    /// <param name="keepWeights">Whether the network stays as sampling needs it between the steps: where no code of the caller runs there.</param>
    public SamplingRun(Sampler sampler, IDenoiser denoiser, IReadOnlyList<NoiseLevel> levels, int firstStep, Tensor start, NoiseSource noise, bool keepWeights)
    {
        _sampler = sampler;
        _denoiser = denoiser.Limited(sampler.Limit);
        _estimate = new SelfEstimate(DenoiserRun.UsesEstimate(denoiser) != false);
        _levels = levels;
        _noise = noise;
        _index = firstStep;
        _type = start.dtype;
        _current = start.to(sampler.StateType ?? start.dtype, copy: true).DetachFromDisposeScope();
        _kept = keepWeights ? DenoiserRun.KeepWeights(denoiser) : null;
    }

    /// <summary>Steps done and steps in all.</summary>
    public (int Step, int Steps) Progress => new(_index, _levels.Count - 1);

    /// <summary>Does the next step.</summary>
    /// <returns>Its result, the tensors alive until the next call; <see langword="null"/> when all steps are done.</returns>
    public SamplingStep? Next(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_index == _levels.Count - 1)
        {
            return null;
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var weights = _weights.Enter();
        var context = new StepContext(_denoiser, _current, _levels, _index, _past, _noise, _estimate);
        var noisier = _sampler.GoesBack(_levels, _index);
        var result = noisier && !_sampler.Ascends
            ? new StepResult(StepMath.Renoise(_current, context.From, context.To, context.DrawNoise(context.To, context.From)), (_image ?? _current).clone())
            : _sampler.Take(context);
        Remember(context.From, result, forget: noisier && !_sampler.Ascends);
        _current = result.Next.DetachFromDisposeScope();
        _image = (ReferenceEquals(result.Image, result.Next) ? result.Image.clone() : result.Image).DetachFromDisposeScope();
        var step = new SamplingStep(_index, _levels.Count - 1, context.From, context.To, _current, _image);
        _index++;
        return step;
    }

    /// <summary>x as it is now, in the type of the start, for the caller to dispose.</summary>
    public Tensor Result() => _current.to(_type, copy: true);

    public void Dispose()
    {
        Forget(0);
        _current.Dispose();
        _image?.Dispose();
        _estimate.Dispose();
        _weights.Dispose();
        _kept?.Dispose();
    }

    /// <summary>Adds the step to the history if the sampler has one, and disposes the rest.</summary>
    private void Remember(NoiseLevel from, StepResult result, bool forget)
    {
        if (forget)
        {
            Forget(0);
        }

        if (_sampler.HistoryLength > 0 && !forget)
        {
            var corrected = result.Corrected?.DetachFromDisposeScope();
            if (corrected is not null)
            {
                _current.Dispose();
            }

            Forget(_sampler.HistoryLength - 1);
            _past.Insert(0, new PastStep(from, corrected ?? _current, result.Image.clone().DetachFromDisposeScope()));
        }
        else
        {
            _current.Dispose();
        }

        _image?.Dispose();
    }

    private void Forget(int keep)
    {
        while (_past.Count > keep)
        {
            _past[^1].Noisy.Dispose();
            _past[^1].Image.Dispose();
            _past.RemoveAt(_past.Count - 1);
        }
    }
}
