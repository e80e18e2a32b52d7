using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The course's training loop, with the clipping and the average of weights that are usual: a step of TorchSharp's Adam, parameter by parameter.</summary>
internal sealed class EagerTrainer : IDisposable
{
    private readonly nn.Module<Tensor, Tensor, Tensor> _network;
    private readonly EagerSchedule _schedule;
    private readonly Adam _optimizer;
    private readonly List<Parameter> _parameters;
    private readonly List<Tensor> _average;
    private readonly EmaOptions _ema = new();
    private readonly double? _clip;
    private int _steps;

    public EagerTrainer(nn.Module<Tensor, Tensor, Tensor> network, double learningRate = 1e-4, double? gradientClip = null)
    {
        _network = network;
        _network.train();
        _clip = gradientClip;
        _parameters = [.. network.parameters()];
        _schedule = new EagerSchedule(_parameters[0].device);
        _optimizer = optim.Adam(_parameters, learningRate);
        _average = _parameters.ConvertAll(parameter => parameter.detach().clone());
    }

    /// <summary>A step on images with noise and timesteps drawn here.</summary>
    public double Step(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Step(images, randn(images.shape, device: images.device), randint(_schedule.Timesteps, [images.shape[0]], ScalarType.Int64, images.device));
    }

    /// <summary>A step.</summary>
    /// <param name="images">x₀, [B, C, H, W].</param>
    /// <param name="noise">ε, the same shape.</param>
    /// <param name="timesteps">Int64, [B].</param>
    /// <returns>The loss before the update.</returns>
    public double Step(Tensor images, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        _optimizer.zero_grad();
        var noisy = _schedule.AddNoise(images, noise, timesteps);
        var loss = nn.functional.mse_loss(_network.call(noisy, timesteps), noise);
        loss.backward();
        Update();
        return loss.item<float>();
    }

    /// <summary>What follows the backward pass: clipping, Adam, the average of the weights.</summary>
    public void Update()
    {
        using var scope = NewDisposeScope();
        if (_clip is { } limit)
        {
            nn.utils.clip_grad_norm_(_parameters, limit);
        }

        _optimizer.step();
        using var noGradients = no_grad();
        var decay = _ema.DecayAt(_steps++);
        for (var i = 0; i < _average.Count; i++)
        {
            _average[i].mul_(decay).add_(_parameters[i], alpha: 1 - decay);
        }
    }

    public void Dispose()
    {
        _average.ForEach(tensor => tensor.Dispose());
        _optimizer.Dispose();
        _schedule.Dispose();
    }
}
