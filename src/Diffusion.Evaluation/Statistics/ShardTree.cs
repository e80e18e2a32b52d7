namespace Diffusion.Evaluation;

/// <summary>Moments by shard number. Two neighbours become one as soon as both are there, where the first has an even number, and so on up: the same sums whenever a shard arrives and whoever adds it up.</summary>
internal sealed class ShardTree
{
    private readonly SortedDictionary<int, (int Level, FeatureMoments Moments)> _nodes = []; // by their first shard; 2^level shards

    /// <summary>The parts that are there, in the order of their shards: the first shard, the number of shards as a power of 2, the moments.</summary>
    public IEnumerable<(int First, int Level, FeatureMoments Moments)> Nodes => _nodes.Select(item => (item.Key, item.Value.Level, item.Value.Moments));

    /// <summary>The number of images.</summary>
    public long Images => _nodes.Values.Sum(node => node.Moments.Images);

    /// <summary>The number of features; <see langword="null"/> while there is nothing.</summary>
    public int? Features => _nodes.Count == 0 ? null : _nodes.Values.First().Moments.Features;

    /// <summary>The first shard that is there already; <see langword="null"/> where none of them is.</summary>
    /// <param name="first">The first shard.</param>
    /// <param name="level">2^level shards are asked for.</param>
    public int? Taken(int first, int level)
    {
        var end = first + (1L << level);
        foreach (var (start, node) in _nodes)
        {
            if (start < end && first < start + (1L << node.Level))
            {
                return Math.Max(start, first);
            }
        }

        return null;
    }

    /// <summary>Adds shards none of which is there.</summary>
    public void Add(int first, int level, FeatureMoments moments)
    {
        while (_nodes.TryGetValue(first ^ (1 << level), out var neighbour) && neighbour.Level == level)
        {
            var other = first ^ (1 << level);
            _nodes.Remove(other);
            moments = other < first ? neighbour.Moments.With(moments) : moments.With(neighbour.Moments);
            (first, level) = (Math.Min(first, other), level + 1);
        }

        _nodes.Add(first, (level, moments));
    }

    /// <summary>The shards before the last one that are missing: <c>3, 5 to 7</c>; <see langword="null"/> where there are none.</summary>
    public string? Missing()
    {
        var (next, missing) = (0L, new List<string>());
        foreach (var (start, node) in _nodes)
        {
            if (start > next)
            {
                missing.Add(start == next + 1 ? $"{next}" : $"{next} to {start - 1}");
            }

            next = start + (1L << node.Level);
        }

        return missing.Count == 0 ? null : string.Join(", ", missing.Take(10)) + (missing.Count > 10 ? ", …" : "");
    }

    /// <summary>All of them together, in the order of their shards.</summary>
    public FeatureMoments All() => _nodes.Values.Select(node => node.Moments).Aggregate((sum, next) => sum.With(next));
}
