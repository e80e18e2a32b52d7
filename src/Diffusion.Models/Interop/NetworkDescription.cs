namespace Diffusion.Models;

/// <summary>What a block list computes, as lines of text that are equal exactly where two networks are; how weights start does not count.</summary>
internal static class NetworkDescription
{
    public static IEnumerable<string> Lines(UNetOptions options)
    {
        var plan = UNetPlan.Of(options with { ZeroInitialize = false });
        var dialect = options.Dialect;
        yield return $"input of {plan.InChannels} channels, stem of {plan.Stem}, output of {plan.OutChannels}";
        yield return $"{nameof(options.NormGroups)} {options.NormGroups}, {nameof(options.TimeDimension)} {options.TimeDimension}";
        yield return $"{dialect.Time with { Width = dialect.Time.Width ?? options.TimeDimension }}";
        yield return $"{nameof(dialect.Labels)} {dialect.Labels?.ToString() ?? "none"}";
        yield return $"{nameof(dialect.Context)} {dialect.Context?.ToString() ?? "none"}";
        yield return $"{nameof(dialect.CenterInput)} {dialect.CenterInput}, {nameof(dialect.DivideByTime)} {dialect.DivideByTime}";
        foreach (var (list, blocks) in ((string, IReadOnlyList<BlockPlan>)[])[(nameof(plan.Down), plan.Down), (nameof(plan.Mid), plan.Mid), (nameof(plan.Up), plan.Up)])
        {
            yield return $"{blocks.Count} blocks in {list}";
            foreach (var line in blocks.SelectMany((block, i) => Lines(block).Select(line => $"{list}[{i}]: {line}")))
            {
                yield return line;
            }
        }
    }

    private static IEnumerable<string> Lines(BlockPlan block)
    {
        yield return $"skip connections of [{string.Join(", ", block.Skips)}] channels";
        if (block.Resamples)
        {
            yield return block.Options is DownBlockOptions ? $"{block.Downsampling}" : $"{block.Upsampling}";
        }

        for (var i = 0; i < block.Residuals; i++)
        {
            yield return $"layer {i} is {block.Residual(i)}";
        }

        for (var i = 0; i < block.Attentions; i++)
        {
            yield return $"attention {i} is {block.Attention()}";
        }
    }
}
