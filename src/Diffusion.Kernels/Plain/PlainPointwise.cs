using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A 1×1 convolution as a product of matrices, in either memory layout and without changing it.</summary>
internal static class PlainPointwise
{
    /// <summary>Applies one matrix to every pixel.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="matrix">[O, C].</param>
    /// <param name="bias">[O] or <see langword="null"/>.</param>
    /// <param name="stride">Every how many rows and columns there is an output.</param>
    /// <returns>[B, O, ⌈H/stride⌉, ⌈W/stride⌉].</returns>
    public static Tensor Forward(Tensor input, Tensor matrix, Tensor? bias, long stride)
    {
        using var scope = NewDisposeScope();
        var channelsLast = MemoryLayout.IsChannelsLast(input);
        var pixels = stride == 1 ? input : input.slice(2, 0, long.MaxValue, stride).slice(3, 0, long.MaxValue, stride);
        return (channelsLast ? Rows(pixels, matrix, bias) : Columns(pixels, matrix, bias)).MoveToOuterDisposeScope();
    }

    /// <summary>Applies one matrix to every pixel and moves the results apart; between them is the bias alone.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="matrix">[O, C].</param>
    /// <param name="bias">[O] or <see langword="null"/>.</param>
    /// <param name="stride">The distance of two results in rows and columns.</param>
    /// <returns>[B, O, (H − 1)·stride + 1, (W − 1)·stride + 1].</returns>
    public static Tensor Spread(Tensor input, Tensor matrix, Tensor? bias, long stride)
    {
        if (stride == 1)
        {
            return Forward(input, matrix, bias, stride);
        }

        using var scope = NewDisposeScope();
        var results = Forward(input, matrix, bias: null, stride: 1);
        var (height, width) = (((input.size(2) - 1) * stride) + 1, ((input.size(3) - 1) * stride) + 1);
        var spread = MemoryLayout.IsChannelsLast(input)
            ? zeros([input.size(0), height, width, matrix.size(0)], dtype: input.dtype, device: input.device).permute(0, 3, 1, 2)
            : zeros([input.size(0), matrix.size(0), height, width], dtype: input.dtype, device: input.device);
        spread.slice(2, 0, long.MaxValue, stride).slice(3, 0, long.MaxValue, stride).copy_(results);
        return (bias is null ? spread : spread.Plus(bias.view(-1, 1, 1))).MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor pixels, Tensor matrix, Tensor? bias)
    {
        var (batch, height, width) = (pixels.size(0), pixels.size(2), pixels.size(3));
        var rows = pixels.permute(0, 2, 3, 1).reshape(batch * height * width, pixels.size(1)); // [B, C, H, W] → [B·H·W, C], a view
        return nn.functional.linear(rows, matrix, bias!).view(batch, height, width, matrix.size(0)).permute(0, 3, 1, 2);
    }

    private static Tensor Columns(Tensor pixels, Tensor matrix, Tensor? bias)
    {
        var (batch, height, width) = (pixels.size(0), pixels.size(2), pixels.size(3));
        var columns = pixels.reshape(batch, pixels.size(1), height * width); // [B, C, H, W] → [B, C, H·W], a view
        // Expanded by hand: matmul would fold the batch into the rows, which copies the images into channels-last order.
        var matrices = matrix.expand(batch, matrix.size(0), matrix.size(1));
        var product = bmm(matrices, columns);
        if (bias is not null)
        {
            product.add_(bias.view(-1, 1), Scalars.One); // not baddbmm: TorchSharp 0.107 passes its arguments in another order than it names them
        }

        return product.view(batch, matrix.size(0), height, width);
    }
}
