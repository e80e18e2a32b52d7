using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The course's linear schedule: tables of tensors, the forward process and one step of the reverse process.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 4 and algorithm 2, with x̂₀ clipped to [−1, 1] for the posterior mean, as this library does by default.</remarks>
internal sealed class EagerSchedule : IDisposable
{
    private readonly Tensor _betas;
    private readonly Tensor _cumulative;
    private readonly Tensor _alpha;
    private readonly Tensor _sigma;

    public EagerSchedule(Device? device = null, int timesteps = 1000, double first = 1e-4, double last = 0.02)
    {
        using var scope = NewDisposeScope();
        Timesteps = timesteps;
        _betas = linspace(first, last, timesteps, ScalarType.Float64, device).DetachFromDisposeScope();
        _cumulative = (1 - _betas).cumprod(0).DetachFromDisposeScope();
        _alpha = _cumulative.sqrt().to(ScalarType.Float32).DetachFromDisposeScope();
        _sigma = (1 - _cumulative).sqrt().to(ScalarType.Float32).DetachFromDisposeScope();
    }

    public int Timesteps { get; }

    /// <summary>x₀ → x_t.</summary>
    public Tensor AddNoise(Tensor images, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var alpha = _alpha[timesteps].to(images.dtype).view(-1, 1, 1, 1); // [B] → [B, 1, 1, 1]
        var sigma = _sigma[timesteps].to(images.dtype).view(-1, 1, 1, 1);
        return ((alpha * images) + (sigma * noise)).MoveToOuterDisposeScope();
    }

    /// <summary>x_t and the predicted noise → x_{t−1}.</summary>
    public Tensor Reverse(Tensor noisy, Tensor predicted, int timestep)
    {
        using var scope = NewDisposeScope();
        var (product, beta) = (_cumulative[timestep].item<double>(), _betas[timestep].item<double>());
        var image = (noisy - (predicted * Math.Sqrt(1 - product))) / Math.Sqrt(product);
        if (timestep == 0)
        {
            return image.MoveToOuterDisposeScope();
        }

        var before = _cumulative[timestep - 1].item<double>();
        var mean = (image * (Math.Sqrt(before) * beta / (1 - product))) + (noisy * (Math.Sqrt(1 - beta) * (1 - before) / (1 - product)));
        var variance = beta * (1 - before) / (1 - product);
        return (mean + (randn(noisy.shape, noisy.dtype, noisy.device) * Math.Sqrt(variance))).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _sigma.Dispose();
        _alpha.Dispose();
        _cumulative.Dispose();
        _betas.Dispose();
    }
}
