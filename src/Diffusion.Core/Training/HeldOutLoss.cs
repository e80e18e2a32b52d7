using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The loss of a network on images that it is not trained on.</summary>
internal sealed class HeldOutLoss(nn.Module network, IWeightSet? weights, TrainingLoss loss, Device device, int batchSize)
{
    public double Mean(IImageSource images, int count, long seed)
    {
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
        using var batch = Read(images, first, count); // before the network: a source may be locked by who waits for the network
        loss.Conditions.Check(images, batch);
        using var evaluation = NetworkAccess.Of(network).Evaluate(weights);
        var draw = loss.Draws.DrawFixed(images.Shape, Enumerable.Range(first, count).Select(i => SeedMixer.Mix(seed, SeedMixer.Purpose.Evaluation, i)));
        return loss.PerSample(batch.Select(tensor => tensor.to(device)), draw).sum().item<float>();
    }

    private static ImageBatch Read(IImageSource images, int first, int count)
    {
        lock (images) // batches may be read ahead from the same source
        {
            int[] indices = [.. Enumerable.Range(first, count)];
            var batch = images.Read(indices);
            SourceCheck.Values(images, batch, indices);
            return batch;
        }
    }
}
