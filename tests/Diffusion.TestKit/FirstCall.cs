using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a run begins with.</summary>
public static class FirstCall
{
    /// <summary>x of the first call of a run whose noise is all ones: the deviation that it begins with.</summary>
    public static double Deviation(Sampler sampler, INoiseSchedule schedule)
    {
        using var scope = NewDisposeScope();
        var first = double.NaN;
        var denoiser = new FunctionDenoiser(schedule, (noisy, _) =>
        {
            first = noisy.to(ScalarType.Float64).item<double>();
            throw new OperationCanceledException();
        });
        using var noise = new ReplayNoise(ones([1, 1, 1, 1, 1]));
        try
        {
            sampler.SampleFrom(denoiser, [1, 1, 1, 1], noise);
        }
        catch (OperationCanceledException)
        {
            return first;
        }

        throw new InvalidOperationException("The run ended without a call of the network.");
    }
}
