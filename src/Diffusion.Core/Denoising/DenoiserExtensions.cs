namespace Diffusion;

/// <summary>Denoisers around denoisers.</summary>
public static class DenoiserExtensions
{
    /// <summary>Limits x̂₀.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="limit">The limit.</param>
    /// <returns>The denoiser around it.</returns>
    public static IDenoiser Limited(this IDenoiser denoiser, ImageLimit limit) => new LimitedDenoiser(denoiser, limit);
}
