namespace Diffusion.Benchmarks;

/// <summary>What a measurement should come to.</summary>
/// <param name="Key">Its name in files.</param>
/// <param name="What">What it is, in words.</param>
/// <param name="AtBest">The goal at <see cref="ProcessorLevel.Avx512BFloat16"/>.</param>
/// <param name="Below">The goal at the levels below; <see langword="null"/> for none.</param>
/// <param name="IsUpper">Whether the goal is at most the bound (default), or at least.</param>
internal sealed record Goal(string Key, string What, double AtBest, double? Below = 1, bool IsUpper = true)
{
    /// <summary>All of them, in the order of the table. Ratios are this library's to eager's: smaller is better, and 1 is as good as eager.</summary>
    public static IReadOnlyList<Goal> All { get; } =
    [
        new("train_step.fp32", "train step, batch 64", 0.6),
        new("train_step.bf16", "train step, batch 64", 0.33),
        new("reverse_b16.fp32", "reverse step, batch 16", 0.6),
        new("reverse_b16.bf16", "reverse step, batch 16", 0.33),
        new("reverse_b1.fp32", "reverse step, batch 1", 0.6),
        new("reverse_b1.bf16", "reverse step, batch 1", 0.5),
        new("optimizer", "clipping, Adam, average of the weights", 0.25),
        new("peak_memory.fp32", "peak memory of training, batch 64", 0.6),
        new("peak_memory.bf16", "peak memory of training, batch 64", 0.5),
        new("kept_memory.fp32", "the same, where both keep all freed memory", 0.6),
        new("kept_memory.bf16", "the same, where both keep all freed memory", 0.5),
        new("managed_memory", "managed memory that a reverse step of one image allocates, fp32, in KiB", 16, null),
        new("gemm_share.train_fp32", "share of the fp32 matrix-product rate in a train step", 0.4, null, IsUpper: false),
        new("gemm_share.train_bf16", "share of the bf16 matrix-product rate in a train step", 0.4, null, IsUpper: false),
    ];

    /// <summary>The goal at a level; <see langword="null"/> for none.</summary>
    public double? Bound(ProcessorLevel level) => level == ProcessorLevel.Avx512BFloat16 ? AtBest : Below;

    /// <summary>Whether it is met: by the median; as good as eager is what is so in one of the rounds.</summary>
    public bool? IsMet(ProcessorLevel level, Samples values) => Bound(level) is not { } bound ? null
        : IsUpper ? (bound == 1 ? values.Least : values.Median) <= bound
        : values.Median >= bound;

    /// <summary>The goal in words.</summary>
    public string Describe(ProcessorLevel level) => Bound(level) is { } bound ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(IsUpper ? "≤" : "≥")} {bound}") : "";
}
