using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The order of a batch of images in memory: [B, C, H, W] (NCHW) or [B, H, W, C] (channels-last); the shape is [B, C, H, W] either way.</summary>
internal static class MemoryLayout
{
    /// <summary>
    /// Whether a tensor of rank 4 is in channels-last order. It decides as libtorch itself does, from the strides, also where both orders
    /// put the same values at the same places (one channel, or 1×1 images): there the strides still tell which one was meant.
    /// </summary>
    public static bool IsChannelsLast(ReadOnlySpan<long> shape, ReadOnlySpan<long> strides)
    {
        if (strides[1] == 0)
        {
            return false;
        }

        long smallest = 0;
        foreach (var dimension in (ReadOnlySpan<int>)[1, 3, 2, 0])
        {
            var ambiguous = dimension == 0 && smallest == strides[1];
            if (shape[dimension] == 0 || strides[dimension] < smallest || ambiguous)
            {
                return false;
            }

            smallest = strides[dimension] * Math.Max(shape[dimension], 1);
        }

        return true;
    }

    /// <summary>Whether a tensor of rank 4 is in channels-last order.</summary>
    public static bool IsChannelsLast(Tensor images) => IsChannelsLast(images.shape, images.stride());

    /// <summary>The same values, dense in the given order; no copy where they are already. The caller disposes the result.</summary>
    public static Tensor Dense(Tensor images, bool channelsLast)
    {
        using var scope = NewDisposeScope();
        var ordered = channelsLast ? images.permute(0, 2, 3, 1) : images; // [B, C, H, W] → [B, H, W, C]
        var dense = ordered.contiguous();
        var shape = ordered.shape;
        if (shape[3] == 1 || shape[1] == 1)
        {
            // Dense in either order, perhaps; through a flat view the strides of lengths of 1 come out as those of this one.
            dense = dense.view(-1).view(shape);
        }

        return (channelsLast ? dense.permute(0, 3, 1, 2) : dense).MoveToOuterDisposeScope(); // [B, H, W, C] → [B, C, H, W]
    }
}
