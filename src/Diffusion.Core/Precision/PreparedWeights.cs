using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// What layers make of their weights before they compute with them, such as their values in bfloat16: made in each call where gradients are taken, so that they reach the weight; once a run
/// while a sampler runs on the CPU, which does not change them.
/// </summary>
/// <remarks>Training and <see cref="Weights.Load"/> between two steps of a run are noticed, and that a weight points elsewhere; a weight that you change yourself in the middle of a run is not.</remarks>
internal static class PreparedWeights
{
    /// <summary>Whether a run keeps what <see cref="Get"/> makes now of weights on the CPU: if not, it belongs to the current dispose scope.</summary>
    public static bool AreKept => WeightCache.Current is not null && !is_grad_enabled();

    /// <summary>A weight in another form.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="form">The name of the form: one weight may have several.</param>
    /// <param name="prepare">Makes it, in a new tensor.</param>
    /// <returns>What <paramref name="prepare"/> makes. It belongs to the run or to the current dispose scope: do not dispose it.</returns>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public static Tensor Get(Tensor weight, string form, Func<Tensor, Tensor> prepare)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(form);
        ArgumentNullException.ThrowIfNull(prepare);
        return WeightCache.Current is { } run && AreKept && weight.device_type == DeviceType.CPU && weight.numel() <= int.MaxValue / sizeof(float)
            ? run.Of(weight, form, prepare)
            : prepare(weight);
    }
}
