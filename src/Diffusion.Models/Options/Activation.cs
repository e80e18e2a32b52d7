namespace Diffusion.Models;

/// <summary>The activation of residual blocks.</summary>
public enum Activation
{
    /// <summary>x·sigmoid(x), arXiv:1702.03118. The default.</summary>
    Silu = 0,

    /// <summary>max(x, 0).</summary>
    Relu = 1,

    /// <summary>x·Φ(x) with the exact normal distribution function, arXiv:1606.08415.</summary>
    Gelu = 2,

    /// <summary>x·tanh(softplus(x)), arXiv:1908.08681.</summary>
    Mish = 3,
}
