using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>How this library is told to compute in a number format: the one place that knows.</summary>
internal static class NumberFormats
{
    public static IReadOnlyList<NumberFormat> All { get; } = [NumberFormat.Fp32, NumberFormat.Bf16];

    /// <summary>The options of a trainer that computes in the format.</summary>
    public static TrainerOptions? Training(TrainerOptions options, NumberFormat format) => options with { Precision = Precision(format) };

    /// <summary>A denoiser that computes in the format.</summary>
    public static IDenoiser? Sampling(nn.Module<Tensor, Tensor, Tensor> network, INoiseSchedule schedule, NumberFormat format) => new NetworkDenoiser(network, schedule).In(Precision(format));

    /// <summary>As in keys and tables.</summary>
    public static string Short(this NumberFormat format) => format == NumberFormat.Fp32 ? "fp32" : "bf16";

    /// <summary>What the library calls it.</summary>
    public static ComputePrecision Precision(this NumberFormat format) => format == NumberFormat.Fp32 ? ComputePrecision.Float32 : ComputePrecision.BFloat16;
}
