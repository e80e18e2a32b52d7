namespace Diffusion.Benchmarks;

/// <summary>The goals by network, in the order of the table. Ratios are this library's to eager's: smaller is better, and 1 is as good as eager.</summary>
internal static class Goals
{
    private static readonly Bounds s_memory32 = new(0.5, 0.5, 0.5, 1);
    private static readonly Bounds s_memory16 = new(0.35, 0.42, 0.42, 1);

    private static readonly Bounds s_time32 = new(0.65, 0.7, 0.75, 1);
    private static readonly Bounds s_time16 = new(0.4, 0.7, 0.75, 1);

    /// <summary>Of the course's network.</summary>
    public static IReadOnlyList<Goal> Course { get; } =
    [
        new("train_step.fp32", "train step, batch 64", new(0.5, 0.6, 0.65, 1)),
        new("train_step.bf16", "train step, batch 64", new(0.3, 0.6, 0.65, 1)),
        new("reverse_b16.fp32", "reverse step, batch 16", new(0.5, 0.5, 0.6, 1)),
        new("reverse_b16.bf16", "reverse step, batch 16", new(0.3, 0.5, 0.6, 1)),
        new("reverse_b1.fp32", "reverse step, batch 1", new(0.4, 0.45, 0.6, 1)),
        new("reverse_b1.bf16", "reverse step, batch 1", new(0.25, 0.45, 0.6, 1)),
        new("optimizer", "clipping, Adam, average of the weights", new(0.2, 0.25, 0.25, 0.5)),
        new("peak_memory.fp32", "peak memory of training, batch 64", s_memory32),
        new("peak_memory.bf16", "peak memory of training, batch 64", s_memory16),
        new("kept_memory.fp32", "the same, where both keep all freed memory", s_memory32),
        new("kept_memory.bf16", "the same, where both keep all freed memory", s_memory16),
        new("managed_memory", "managed memory that a reverse step of one image allocates, fp32, in KiB", new(16)),
        new("gemm_share.train_fp32", "share of the fp32 matrix-product rate in a train step", new(0.4), IsUpper: false),
        new("gemm_share.train_bf16", "share of the bf16 matrix-product rate in a train step", new(0.4), IsUpper: false),
    ];

    /// <summary>Of the networks of these names.</summary>
    public static IReadOnlyList<Goal> Of(IEnumerable<string> networks) => [.. networks.SelectMany(network => network == ComparedNetworks.Course ? Course : Other(network))];

    /// <summary>Of another network: times are to reach less than the course's, and memory is measured without a goal.</summary>
    private static IEnumerable<Goal> Other(string network)
    {
        foreach (var (key, what) in new[] { ("train_step", "train step, batch 16"), ("reverse_b4", "reverse step, batch 4"), ("reverse_b1", "reverse step, batch 1") })
        {
            yield return new($"{network}.{key}.fp32", what, s_time32);
            yield return new($"{network}.{key}.bf16", what, s_time16);
        }

        yield return new($"{network}.peak_memory.fp32", "peak memory of training, batch 16", Bounds.None);
        yield return new($"{network}.peak_memory.bf16", "peak memory of training, batch 16", Bounds.None);
    }
}
