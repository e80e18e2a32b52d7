using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The loss of a network on images that it is not trained on.</summary>
internal sealed class Evaluation(nn.Module network, TrainingLoss loss, Device device, int batchSize)
{
    public double Mean(IImageSource images, int count, long seed)
    {
        using var evaluating = new EvaluationMode(network);
        var sum = 0.0;
        count = Math.Min(count, images.Count);
        for (var first = 0; first < count; first += batchSize)
        {
            sum += Sum(images, first, Math.Min(batchSize, count - first), seed);
        }

        return sum / count;
    }

    private double Sum(IImageSource images, int first, int count, long seed)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var batch = Read(images, first, count);
        if (loss.UsesLabels && batch.Labels is null)
        {
            throw new InvalidOperationException($"'{images.Name}' has no labels; the network is told a label for each image.");
        }

        var draw = loss.DrawFixed(images.Shape, Enumerable.Range(first, count).Select(i => SeedMixer.Mix(seed, SeedMixer.Purpose.Evaluation, i)));
        return loss.OfImages(batch.Images.to(device), draw, batch.Labels).sum().item<float>();
    }

    private static ImageBatch Read(IImageSource images, int first, int count)
    {
        lock (images) // batches may be read ahead from the same source
        {
            return images.Read([.. Enumerable.Range(first, count)]);
        }
    }
}
