namespace Diffusion.Models;

/// <summary>What a convolution over square kernels is made of, transposed or not; the same stride and padding in both directions.</summary>
internal readonly record struct ConvolutionShape(int InChannels, int OutChannels, int Kernel, int Stride, int Padding)
{
    /// <summary>A product of matrices, pixel by pixel.</summary>
    public bool IsPointwise => Kernel == 1 && Padding == 0;

    /// <summary>Checks the numbers at the public edge.</summary>
    public static ConvolutionShape Checked(int inChannels, int outChannels, int kernelSize, int stride, int padding)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inChannels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outChannels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kernelSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stride);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        return new(inChannels, outChannels, kernelSize, stride, padding);
    }

    /// <summary>The height or width of the output of a convolution.</summary>
    public long OutputSize(long size) => ((size + (2 * Padding) - Kernel) / Stride) + 1;

    /// <summary>The height or width of the output of a transposed convolution.</summary>
    public long TransposedOutputSize(long size) => ((size - 1) * Stride) - (2 * Padding) + Kernel;
}
