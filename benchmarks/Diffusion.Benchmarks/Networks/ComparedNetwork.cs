using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A network that is compared: of this library and out of TorchSharp's modules.</summary>
internal abstract record ComparedNetwork
{
    /// <summary>Its name on the command line and in keys.</summary>
    public required string Name { get; init; }

    /// <summary>What it is at its full size, in words.</summary>
    public required string What { get; init; }

    /// <summary>The images of a train step.</summary>
    public required int TrainBatch { get; init; }

    /// <summary>The images of a reverse step of several.</summary>
    public required int SampleBatch { get; init; }

    /// <summary>The shape of its images.</summary>
    public abstract ImageShape Image { get; }

    /// <summary>From the names of this library's weights to eager's.</summary>
    public abstract KeyMap Keys { get; }

    /// <summary>Makes this library's.</summary>
    /// <returns>From noisy images [B, C, H, W] and timesteps [B] to noise.</returns>
    public abstract nn.Module<Tensor, Tensor, Tensor> Ours();

    /// <summary>Makes eager's, with weights of its own.</summary>
    /// <returns>From noisy images [B, C, H, W] and timesteps [B] to noise.</returns>
    public abstract nn.Module<Tensor, Tensor, Tensor> Eager();
}
