using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Resizes one channel of one image of 8 bits, in fixed point.</summary>
internal sealed class EightBitPlane(ResizeWeights across, ResizeWeights down)
{
    private readonly (int First, int[] Weights)[] _across = across.Fixed();
    private readonly (int First, int[] Weights)[] _down = down.Fixed();

    /// <param name="from">[H, W], uint8, contiguous, on the CPU.</param>
    /// <param name="to">[height, width], likewise; overwritten.</param>
    public void Resize(Tensor from, Tensor to)
    {
        var (rows, columns, width) = ((int)from.shape[0], (int)from.shape[1], (int)to.shape[1]);
        var source = from.bytes;
        var target = to.bytes;
        var between = new byte[rows * width];
        for (var y = 0; y < rows; y++)
        {
            Across(source.Slice(y * columns, columns), between.AsSpan(y * width, width));
        }

        for (var y = 0; y < _down.Length; y++)
        {
            Down(between, _down[y], target.Slice(y * width, width));
        }
    }

    private void Across(ReadOnlySpan<byte> row, Span<byte> result)
    {
        for (var x = 0; x < result.Length; x++)
        {
            var (first, weights) = _across[x];
            var sum = 0;
            for (var k = 0; k < weights.Length; k++)
            {
                sum += row[first + k] * weights[k];
            }

            result[x] = ResizeWeights.Round(sum);
        }
    }

    private static void Down(ReadOnlySpan<byte> rows, (int First, int[] Weights) pixel, Span<byte> result)
    {
        for (var x = 0; x < result.Length; x++)
        {
            var sum = 0;
            for (var k = 0; k < pixel.Weights.Length; k++)
            {
                sum += rows[((pixel.First + k) * result.Length) + x] * pixel.Weights[k];
            }

            result[x] = ResizeWeights.Round(sum);
        }
    }
}
