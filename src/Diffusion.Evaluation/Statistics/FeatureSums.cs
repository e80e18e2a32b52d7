using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// Sums of features and of their products, by shard: what a Fréchet distance needs of a set of images that is too large for memory or is evaluated by several workers. The images of a set are cut into shards
/// that are numbered from 0; whoever has the features of one adds them, in any order, in any process, and the statistics are the same to the last bit. Safe for several threads at the same time.
/// </summary>
/// <remarks>
/// Sums are float64 and taken of deviations from the mean (Chan, Golub and LeVeque, 1983), and two neighbouring parts of equal size become one as soon as both are there. So a worker that takes a
/// run of shards keeps few sums, [D, D] each: log₂ of their number, where it takes them in order. One that takes every second shard keeps them all. A sum takes 8·D² bytes: 34 MB for the 2048 features of Inception, so that 500 shards
/// in order take at most 300 MB, and 250 that wait for a neighbour each 8.4 GB. With so many features give each worker a run of shards, or make shards large.
/// What the shards are belongs to the figure: other shards give other sums, by rounding.
/// </remarks>
public sealed class FeatureSums
{
    private readonly Lock _gate = new();
    private readonly ShardTree _tree = new();

    /// <summary>The number of images that were added.</summary>
    public long Images
    {
        get
        {
            lock (_gate)
            {
                return _tree.Images;
            }
        }
    }

    /// <summary>Adds the features of a shard.</summary>
    /// <param name="shard">The number of the shard, at least 0; each once.</param>
    /// <param name="features">[B, D], at least one image; a floating type, on any device. It is not disposed.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="shard"/> is below 0.</exception>
    /// <exception cref="ArgumentException">The shard was added before, other shards have another number of features, or the features have no such shape, no floating type or are not all finite. Nothing is added.</exception>
    public void Add(int shard, Tensor features)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentNullException.ThrowIfNull(features);
        var moments = Deviations.Of(features, $"The features of shard {shard}");
        lock (_gate)
        {
            Check(shard, level: 0, moments, nameof(shard));
            _tree.Add(shard, level: 0, moments);
        }
    }

    /// <summary>Adds all that another worker has; its sums stay as they are.</summary>
    /// <param name="other">Sums of other shards of the same images, such as <see cref="Read"/> returns.</param>
    /// <exception cref="ArgumentException">A shard is in both, or the number of features differs. Nothing is added.</exception>
    public void Add(FeatureSums other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var nodes = other.Nodes();
        lock (_gate)
        {
            foreach (var (first, level, moments) in nodes)
            {
                Check(first, level, moments, nameof(other));
            }

            foreach (var (first, level, moments) in nodes)
            {
                _tree.Add(first, level, moments);
            }
        }
    }

    /// <summary>The statistics of all shards.</summary>
    /// <param name="source">What they were made from: images and features.</param>
    /// <returns>Mean and covariance, for the caller to dispose.</returns>
    /// <exception cref="InvalidOperationException">Shards between 0 and the largest number are missing, or there are fewer than two images.</exception>
    public FeatureStatistics Statistics(string source)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        lock (_gate)
        {
            if (_tree.Missing() is { } missing)
            {
                throw new InvalidOperationException($"The sums of features are not complete: shards {missing} are missing.");
            }

            return _tree.Images < 2
                ? throw new InvalidOperationException($"A covariance needs at least 2 images; the features of {_tree.Images} were added.")
                : FeatureStatistics.Of(_tree.All(), source);
        }
    }

    /// <summary>Writes the sums as they are, shards that wait for others too, for <see cref="Read"/> in another process.</summary>
    /// <param name="path">The safetensors file to write; its folder is created if need be.</param>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var nodes = Nodes();
        if (nodes.Length == 0)
        {
            throw new InvalidOperationException($"There are no sums of features to write to '{path}': nothing was added.");
        }

        SumsFile.Write(path, nodes);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file holds something else, or is damaged; the message names it.</exception>
    public static FeatureSums Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var sums = new FeatureSums();
        foreach (var (first, level, moments) in SumsFile.Read(path))
        {
            try
            {
                sums.Check(first, level, moments, nameof(path));
            }
            catch (ArgumentException e)
            {
                throw new InvalidDataException($"'{path}' holds no sums of features: {e.Message}", e);
            }

            sums._tree.Add(first, level, moments);
        }

        return sums;
    }

    private (int First, int Level, FeatureMoments Moments)[] Nodes()
    {
        lock (_gate)
        {
            return [.. _tree.Nodes];
        }
    }

    private void Check(int first, int level, FeatureMoments moments, string name)
    {
        if (_tree.Features is { } features && features != moments.Features)
        {
            throw new ArgumentException($"Shard {first} has {moments.Features} features an image, and those before have {features}.", name);
        }

        if (_tree.Taken(first, level) is { } taken)
        {
            throw new ArgumentException($"Shard {taken} was added before.", name);
        }
    }
}
