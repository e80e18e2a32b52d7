using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Everything random of one training batch. The tensors are the caller's.</summary>
/// <param name="Timesteps">The noise levels.</param>
/// <param name="Noise">ε, standard normal, the shape of the images.</param>
/// <param name="Offset">Standard normal, [B, C], where the objective adds a constant to each channel.</param>
/// <param name="SelfConditioned">Whether the network is given its own estimate, where the objective knows of one.</param>
internal sealed record TrainingDraw(TimestepDraw Timesteps, Tensor Noise, Tensor? Offset = null, bool SelfConditioned = false)
{
    /// <summary>Which samples get the null condition, one value a sample; <see langword="null"/> (default) for none.</summary>
    public IReadOnlyList<bool>? Dropped { get; init; }

    /// <summary>Whether each sample keeps its own noise, whatever the objective says: where its loss is not to depend on the other samples.</summary>
    public bool KeepsNoise { get; init; }

    /// <summary>The draw of some of the images; its tensors are views.</summary>
    public TrainingDraw Part(int first, int count) => this with
    {
        Timesteps = Timesteps.Part(first, count),
        Noise = Noise.narrow(0, first, count),
        Offset = Offset?.narrow(0, first, count),
        Dropped = Dropped is null ? null : [.. Dropped.Skip(first).Take(count)],
    };
}
