using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The variance of an ancestral step. Between its bounds, β̃ and β, every choice gives the right images in the limit of many steps.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, section 3.2 (the two fixed choices);
/// Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 15 (learned range: interpolation of the logarithms).
/// Where β̃ is 0, in the last step, its logarithm is replaced by that of the step before it; no noise is added there in any case.
/// </remarks>
public enum ReverseVariance
{
    /// <summary>β̃, the variance of the posterior: right if the data were a single image. The default.</summary>
    FixedSmall = 0,

    /// <summary>β, the variance of the forward step: right if the data were standard normal noise.</summary>
    FixedLarge = 1,

    /// <summary>The network's second output is the logarithm of the variance.</summary>
    Learned = 2,

    /// <summary>The network's second output, in [−1, 1], moves the logarithm of the variance from that of β̃ to that of β.</summary>
    LearnedRange = 3,
}
