namespace Diffusion.Models;

/// <summary>Whether a network that a configuration describes can be the one of some weights, told before it is made.</summary>
internal static class NetworkSize
{
    // A network of this size is made all the same, 16 MiB: loading then names every weight that does not fit.
    private const int Small = 1 << 22;

    /// <summary>Throws where a network that is not small has more parameters than there are.</summary>
    /// <param name="network">The block list.</param>
    /// <param name="available">How many numbers the weights have.</param>
    /// <param name="path">The file of the weights, for the message.</param>
    /// <exception cref="InvalidDataException">It has; the message names both counts.</exception>
    public static void ThrowIfLarger(UNetOptions network, long available, string path)
    {
        var maximum = Math.Max(available, Small);
        // Single layers first: their product with the number of layers fits a long where they do.
        foreach (var (name, count) in Layers(network))
        {
            if (count > maximum)
            {
                throw new InvalidDataException($"'{path}' holds {available} numbers, and the network that its configuration describes has {count} in one layer alone, {name}.");
            }
        }

        var parameters = UNetSummary.Of(network).Parameters;
        if (parameters > maximum)
        {
            throw new InvalidDataException($"'{path}' holds {available} numbers, and the network that its configuration describes has {parameters} parameters.");
        }
    }

    private static IEnumerable<(string Name, Int128 Count)> Layers(UNetOptions network)
    {
        var time = network.Dialect.Time;
        yield return ("the embedding of the time", (Int128)network.TimeDimension * network.TimeDimension);
        yield return ("the table of times", time.Kind == TimeEmbeddingKind.Table ? (Int128)time.Steps * (time.Width ?? network.TimeDimension) : 0);
        yield return ("the width of the time's waves", (Int128)(time.Width ?? 0));
        yield return ("the table of labels", network.Dialect.Labels is { Kind: LabelKind.Table } labels ? (Int128)labels.Classes * network.TimeDimension : 0);
        yield return ("the input", (Int128)(network.StemChannels ?? 0) * 9);
        yield return ("the image", ((Int128)network.Image.Channels + network.Dialect.ExtraChannels + (network.Dialect.OutChannels ?? 0)) * network.Dialect.PatchSize * network.Dialect.PatchSize);
        yield return ("the context", (Int128)(network.Dialect.Context?.Channels ?? 0));
        IBlockOptions[] blocks = [.. network.Down, .. network.Mid, .. network.Up];
        foreach (var block in blocks)
        {
            yield return ($"a convolution of {block.Channels} channels", (Int128)block.Channels * block.Channels * 9 * Math.Max(1, block.Layers));
        }
    }
}
