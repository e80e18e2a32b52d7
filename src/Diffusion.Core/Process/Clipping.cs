namespace Diffusion;

/// <summary>What is done to the predicted image x̂₀ in a reverse step. Images lie in [−1, 1]; predictions need not.</summary>
public enum Clipping
{
    /// <summary>x̂₀ is clipped to [−1, 1] and the step uses the clipped image. The default, and what the DDPM authors' code does.</summary>
    Use = 0,

    /// <summary>x̂₀ is clipped where it is reported, but the step uses the image as predicted: the form of the "Implementing Denoising Diffusion Models" course.</summary>
    ReportOnly = 1,

    /// <summary>x̂₀ is used and reported as predicted.</summary>
    None = 2,
}
