using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a sampling run asks of its denoiser beside predictions.</summary>
internal static class DenoiserRun
{
    /// <summary>Keeps the network in evaluation mode, and its averaged weights in place, between the calls of a run: until the result is disposed.</summary>
    public static IDisposable? KeepWeights(IDenoiser denoiser) => denoiser switch
    {
        DelegatingDenoiser wrapper => wrapper.KeepWeights(),
        NetworkDenoiser network => network.KeepWeights(),
        _ => null,
    };

    /// <summary>Whether the network uses an estimate; <see langword="null"/> where only the denoiser knows.</summary>
    public static bool? UsesEstimate(IDenoiser denoiser) => denoiser switch
    {
        DelegatingDenoiser wrapper => wrapper.UsesEstimate,
        NetworkDenoiser network => network.UsesEstimate,
        _ => null,
    };

    /// <summary>Why there is no exact likelihood under a denoiser, in words that follow "the denoiser"; <see langword="null"/> where no wrapper around the network is in the way.</summary>
    public static string? NoLikelihood(IDenoiser denoiser) => (denoiser as DelegatingDenoiser)?.NoLikelihood;

    /// <summary>What the network predicts; <see langword="null"/> where only the denoiser knows.</summary>
    public static Parameterization? Parameterization(IDenoiser denoiser) => denoiser switch
    {
        DelegatingDenoiser wrapper => wrapper.Parameterization,
        NetworkDenoiser network => network.Parameterization,
        _ => null,
    };

    /// <summary>An image with the limits that a denoiser keeps x̂₀ within.</summary>
    public static Tensor LimitImage(IDenoiser denoiser, Tensor image) => (denoiser as DelegatingDenoiser)?.LimitImage(image) ?? image;
}
