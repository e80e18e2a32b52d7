using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A sampling run of this library, step by step; begins anew where it ends.</summary>
internal sealed class OwnSampling(Sampler sampler, IDenoiser denoiser, long[] shape) : IDisposable
{
    private IEnumerator<SamplingStep>? _steps;

    /// <summary>Begins a run of DDPM's sampler; <see langword="null"/> where the library does not sample in the format.</summary>
    public static OwnSampling? Start(nn.Module<Tensor, Tensor, Tensor> network, long[] shape, NumberFormat format) =>
        NumberFormats.Sampling(network, new LinearNoiseSchedule(), format) is { } denoiser ? new OwnSampling(new DdpmSampler(), denoiser, shape) : null;

    /// <summary>One step.</summary>
    public void Step()
    {
        if (_steps?.MoveNext() == true)
        {
            return;
        }

        _steps?.Dispose();
        _steps = sampler.Steps(denoiser, shape, seed: 1).GetEnumerator();
        _steps.MoveNext();
    }

    public void Dispose() => _steps?.Dispose();
}
