using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The labels of the images of a batch: one each, or one for all of a batch of any size.</summary>
internal sealed class ImageLabels
{
    private readonly long[] _labels;

    public ImageLabels(params ReadOnlySpan<long> labels)
    {
        if (labels.IsEmpty)
        {
            throw new ArgumentException("Every image needs a label; there is none.", nameof(labels));
        }

        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] < 0)
            {
                throw new ArgumentException($"Labels must not be negative; labels[{i}] is {labels[i]}.", nameof(labels));
            }
        }

        _labels = labels.ToArray();
    }

    /// <summary>One label for each image of the batch [B, …].</summary>
    public long[] For(Tensor noisy)
    {
        var images = noisy.dim() == 0 ? 0 : noisy.shape[0];
        if (_labels.Length == images)
        {
            return _labels;
        }

        if (_labels.Length > 1)
        {
            throw new ArgumentException($"There must be as many labels as images; {_labels.Length} labels were given for a batch of shape [{string.Join(", ", noisy.shape)}].", nameof(noisy));
        }

        var labels = new long[images];
        Array.Fill(labels, _labels[0]);
        return labels;
    }
}
