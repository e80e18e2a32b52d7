using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>What is known of a set of images once the network has seen them. Owns its tensors.</summary>
internal sealed class MeasuredImages : IDisposable
{
    private readonly SeededRandom _random;
    private readonly List<(int Part, int Row)> _places = []; // of the kept images
    private readonly List<Tensor> _features = [];
    private readonly List<Tensor> _pixels = [];
    private readonly List<Tensor> _logits = [];
    private FeatureStatistics? _statistics;
    private Tensor? _allFeatures;
    private Tensor? _allPixels;
    private Tensor? _allLogits;

    private MeasuredImages(long seed) => _random = new SeededRandom(seed);

    /// <summary>The number of images that the network saw.</summary>
    public long Count { get; private set; }

    /// <summary>The number of images of the set that they are of: all of a source, also where not all of it was read.</summary>
    public long Total { get => Math.Max(field, Count); init; }

    /// <summary>Which images of their source they are, in the order in which the network saw them; empty where they are of none.</summary>
    public IReadOnlyList<int> Indices { get; init; } = [];

    /// <summary>How many of them have kept features.</summary>
    public long Kept => _places.Count;

    /// <summary>Mean and covariance of all; <see langword="null"/> where they were not asked for.</summary>
    public FeatureStatistics? Statistics => _statistics;

    /// <summary>The features of the kept images, [K, D]; <see langword="null"/> where none are.</summary>
    public Tensor? Features => Joined(_features, ref _allFeatures);

    /// <summary>The pixels of the kept images, [K, C, H, W], uint8; <see langword="null"/> where none are.</summary>
    public Tensor? Pixels => Joined(_pixels, ref _allPixels);

    /// <summary>The logits of all images, [N, classes]; <see langword="null"/> without a classifier.</summary>
    public Tensor? Logits => Joined(_logits, ref _allLogits);

    /// <summary>Describes images batch by batch.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batches">[B, C, H, W], uint8; each is disposed after it was seen.</param>
    /// <param name="keep">What is kept.</param>
    /// <param name="source">What the images are.</param>
    /// <param name="progress">Told the number of images that were seen, after each batch.</param>
    /// <param name="cancellation">Checked before every batch.</param>
    /// <param name="indices">Which images of their source they are.</param>
    /// <param name="total">How many the source has, where there is one.</param>
    public static MeasuredImages Of(
        IFeatureExtractor network, IEnumerable<Tensor> batches, Keep keep, string source, IProgress<long>? progress, CancellationToken cancellation, IReadOnlyList<int>? indices = null, long total = 0)
    {
        var measured = new MeasuredImages(keep.Seed) { Indices = indices ?? [], Total = total };
        try
        {
            measured.Measure(network, batches, keep, source, progress, cancellation);
            return measured;
        }
        catch
        {
            measured.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in (IEnumerable<Tensor?>)[.. _features, .. _pixels, .. _logits, _allFeatures, _allPixels, _allLogits])
        {
            tensor?.Dispose();
        }

        _statistics?.Dispose();
    }

    private static void AddRows(List<Tensor> parts, Tensor rows, long count)
    {
        using var kept = rows.narrow(0, 0, count);
        parts.Add(kept.clone().DetachFromDisposeScope());
    }

    private static void Replace(Tensor kept, int row, Tensor rows, long image)
    {
        using Tensor place = kept[row], value = rows[image];
        place.copy_(value);
    }

    private static Tensor? Joined(List<Tensor> parts, ref Tensor? all)
    {
        if (all is null && parts.Count > 0)
        {
            all = cat(parts).DetachFromDisposeScope();
            parts.ForEach(part => part.Dispose());
            parts.Clear();
        }

        return all;
    }

    private void Measure(IFeatureExtractor network, IEnumerable<Tensor> batches, Keep keep, string source, IProgress<long>? progress, CancellationToken cancellation)
    {
        var sums = keep.Sums ? new FeatureSums() : null;
        var shard = 0;
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            using var images = batch;
            cancellation.ThrowIfCancellationRequested();
            var features = Describe(network, images, keep);
            if (features.dim() != 2 || features.shape[0] != images.shape[0] || features.shape[1] != network.Features)
            {
                throw new InvalidOperationException($"The features of {network.Name} must be [{images.shape[0]}, {network.Features}] for a batch of {images.shape[0]} images; they are [{string.Join(", ", features.shape)}].");
            }

            sums?.Add(shard++, features);
            if (keep.Chosen is null)
            {
                Add(features, images, keep);
            }
            else
            {
                AddChosen(features, images, keep);
            }

            progress?.Report(Count);
        }

        if (Count == 0)
        {
            throw new ArgumentException($"There are no images: {source} has none.", nameof(batches));
        }

        _statistics = sums?.Statistics(source);
    }

    private void AddChosen(Tensor features, Tensor images, Keep keep)
    {
        long[] rows = [.. Enumerable.Range(0, (int)images.shape[0]).Where(row => keep.Chosen!.Contains(Indices[(int)Count + row])).Select(row => (long)row)];
        if (rows.Length > 0)
        {
            using Tensor index = tensor(rows), kept = features.index_select(0, index), pixels = images.index_select(0, index);
            AddRows(_features, kept, rows.Length);
            if (keep.Pixels)
            {
                AddRows(_pixels, pixels, rows.Length);
            }

            _places.AddRange(rows.Select((_, row) => (_features.Count - 1, row)));
        }

        Count += images.shape[0];
    }

    /// <summary>Keeps all images while there is room, then each with the probability that makes all of the set equally likely, in the place of another: algorithm R of Vitter, Random Sampling with a Reservoir, 1985.</summary>
    private void Add(Tensor features, Tensor images, Keep keep)
    {
        var room = Math.Min(images.shape[0], keep.Max - Kept);
        if (room > 0)
        {
            AddRows(_features, features, room);
            if (keep.Pixels)
            {
                AddRows(_pixels, images, room);
            }

            _places.AddRange(Enumerable.Range(0, (int)room).Select(row => (_features.Count - 1, row)));
        }

        for (var image = Math.Max(0, room); keep.Max > 0 && image < images.shape[0]; image++)
        {
            var place = (long)(_random.NextDouble() * (Count + image + 1));
            if (place < keep.Max)
            {
                var (part, row) = _places[(int)place];
                Replace(_features[part], row, features, image);
                if (keep.Pixels)
                {
                    Replace(_pixels[part], row, images, image);
                }
            }
        }

        Count += images.shape[0];
    }

    private Tensor Describe(IFeatureExtractor network, Tensor images, Keep keep)
    {
        if (!keep.Logits || network is not IImageClassifier classifier)
        {
            return network.Extract(images);
        }

        var (features, logits) = classifier.Classify(images);
        _logits.Add(logits.DetachFromDisposeScope());
        return features;
    }

    /// <summary>What is kept of a set of images.</summary>
    /// <param name="Sums">Whether mean and covariance are computed.</param>
    /// <param name="Max">The most images whose features are kept: all, or a random choice.</param>
    /// <param name="Pixels">Whether the pixels of those are kept, too.</param>
    /// <param name="Logits">Whether the logits of all images are, where the network is a classifier.</param>
    /// <param name="Seed">Of the choice.</param>
    /// <param name="Chosen">The images of a source that are kept, by their numbers there, whatever else is read; <see langword="null"/> for a random choice of what comes.</param>
    internal readonly record struct Keep(bool Sums, long Max, bool Pixels, bool Logits, long Seed, IReadOnlySet<int>? Chosen = null);
}
