using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>What a trainer does after the backward pass, alone: the norm of the gradients, clipping, Adam, the average of the weights.</summary>
internal sealed class OwnUpdate : IDisposable
{
    private readonly TrainerOptions _options;
    private readonly TrainerState _state;

    /// <param name="network">Takes the place of one after a backward pass: its gradients are drawn.</param>
    /// <param name="gradientClip">What the norm of the gradients is clipped to.</param>
    public OwnUpdate(nn.Module network, double gradientClip)
    {
        _options = new TrainerOptions { Optimizer = new OptimizerOptions { GradientClip = gradientClip } };
        _state = new TrainerState(network, _options, history: null);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _state.Parameters.Gradients.normal_(0, 0.01);
    }

    /// <summary>One update.</summary>
    public void Run()
    {
        using var noGradients = no_grad();
        using var norm = _state.Parameters.GradientNorm();
        using var value = norm.to(ScalarType.Float64).cpu();
        _state.Update(_options.LearningRate, value.item<double>());
        _state.Advance(skipped: false);
    }

    public void Dispose() => _state.Dispose();
}
