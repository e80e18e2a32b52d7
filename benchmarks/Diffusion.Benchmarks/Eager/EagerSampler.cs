using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The course's sampling loop.</summary>
internal static class EagerSampler
{
    /// <summary>One step of it: the network, then x_t → x_{t−1}.</summary>
    public static Tensor Step(nn.Module<Tensor, Tensor, Tensor> network, EagerSchedule schedule, Tensor noisy, int timestep)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var timesteps = full([noisy.shape[0]], timestep, ScalarType.Int64, noisy.device);
        return schedule.Reverse(noisy, network.call(noisy, timesteps), timestep).MoveToOuterDisposeScope();
    }
}
