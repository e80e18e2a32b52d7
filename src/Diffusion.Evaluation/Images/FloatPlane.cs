using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Resizes one channel of one image of float32.</summary>
internal sealed class FloatPlane(ResizeWeights across, ResizeWeights down)
{
    /// <param name="from">[H, W], float32, contiguous, on the CPU.</param>
    /// <param name="to">[height, width], likewise; overwritten.</param>
    public void Resize(Tensor from, Tensor to)
    {
        var (rows, columns, width) = ((int)from.shape[0], (int)from.shape[1], (int)to.shape[1]);
        var source = MemoryMarshal.Cast<byte, float>(from.bytes);
        var target = MemoryMarshal.Cast<byte, float>(to.bytes);
        var between = new float[rows * width];
        for (var y = 0; y < rows; y++)
        {
            Across(source.Slice(y * columns, columns), between.AsSpan(y * width, width));
        }

        for (var y = 0; y < down.Pixels.Length; y++)
        {
            Down(between, down.Pixels[y], target.Slice(y * width, width));
        }
    }

    private void Across(ReadOnlySpan<float> row, Span<float> result)
    {
        for (var x = 0; x < result.Length; x++)
        {
            var (first, weights) = across.Pixels[x];
            var sum = 0.0;
            for (var k = 0; k < weights.Length; k++)
            {
                sum += row[first + k] * weights[k];
            }

            result[x] = (float)sum;
        }
    }

    private static void Down(ReadOnlySpan<float> rows, (int First, double[] Weights) pixel, Span<float> result)
    {
        for (var x = 0; x < result.Length; x++)
        {
            var sum = 0.0;
            for (var k = 0; k < pixel.Weights.Length; k++)
            {
                sum += rows[((pixel.First + k) * result.Length) + x] * pixel.Weights[k];
            }

            result[x] = Math.Clamp((float)sum, 0, 255);
        }
    }
}
