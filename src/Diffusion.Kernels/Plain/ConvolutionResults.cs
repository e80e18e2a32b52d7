namespace Diffusion.Kernels;

/// <summary>What of a convolution is computed.</summary>
[Flags]
internal enum ConvolutionResults
{
    /// <summary>Its output.</summary>
    Output = 1,

    /// <summary>The gradient of its input.</summary>
    InputGradient = 2,

    /// <summary>The gradients of weight and bias.</summary>
    ParameterGradients = 4,

    /// <summary>All of them.</summary>
    All = Output | InputGradient | ParameterGradients,
}
