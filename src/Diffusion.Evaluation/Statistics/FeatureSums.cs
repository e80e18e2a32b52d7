using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Sums of features by shard.</summary>
public sealed class FeatureSums
{
    /// <summary>The number of images so far.</summary>
    public long Images => 0;

    /// <summary>Adds a shard, [B, D]. Several threads may add at the same time.</summary>
    public void Add(int shard, Tensor features) => throw new NotSupportedException();

    /// <summary>Adds what another one has, which stays as it is.</summary>
    public void Add(FeatureSums other) => throw new NotSupportedException();

    /// <summary>The statistics of all shards.</summary>
    public FeatureStatistics Statistics(string source) => throw new NotSupportedException();

    /// <summary>Reads a file of sums.</summary>
    public static FeatureSums Read(string path) => throw new NotSupportedException();

    /// <summary>Writes the sums (safetensors).</summary>
    public void Write(string path) => throw new NotSupportedException();
}
