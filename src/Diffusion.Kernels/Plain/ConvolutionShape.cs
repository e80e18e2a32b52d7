using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>What a convolution over square kernels is made of, transposed or not; the same stride and padding in both directions.</summary>
internal readonly record struct ConvolutionShape(int InChannels, int OutChannels, int Kernel, int Stride, int Padding)
{
    /// <summary>A product of matrices, pixel by pixel.</summary>
    public bool IsPointwise => Kernel == 1 && Padding == 0;

    /// <summary>
    /// Whether a row or column of the kernel meets nothing but padding, so that its gradient is 0. libtorch 2.10 leaves that gradient unwritten in bfloat16; in float32 it does not.
    /// </summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="transposed">Whether the convolution is a transposed one, whose kernel moves over the output.</param>
    public bool SeesOnlyPadding(Tensor input, bool transposed) => SeesOnlyPadding(input.size(2), transposed) || SeesOnlyPadding(input.size(3), transposed);

    /// <summary>The same of a height or width.</summary>
    /// <param name="size">Of the input.</param>
    /// <param name="transposed">Whether the convolution is a transposed one.</param>
    public bool SeesOnlyPadding(long size, bool transposed) => transposed ? SeesOnlyPadding(TransposedOutputSize(size), size) : SeesOnlyPadding(size, OutputSize(size));

    /// <param name="size">The pixels that the kernel moves over.</param>
    /// <param name="places">Where it stops.</param>
    private bool SeesOnlyPadding(long size, long places)
    {
        for (var k = 0; k < Kernel; k++)
        {
            var first = k - Padding; // the pixel under this part of the kernel at its first place
            var skipped = first >= 0 ? 0 : (-first + Stride - 1) / Stride; // places before it meets a pixel
            if (skipped >= places || first + (skipped * Stride) >= size)
            {
                return true;
            }
        }

        return false;
    }

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
