using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Diffusion.Benchmarks;

/// <summary>Where a measurement was made.</summary>
internal static class Machine
{
    /// <summary>The processor and the level of it that is used, its cores and the system.</summary>
    public static string Name { get; } =
        $"{Processor.Description}; {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}";

    /// <summary>Of what computes.</summary>
    public static string Versions =>
        $"{RuntimeInformation.FrameworkDescription}, TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, libtorch {torch.__version__}";

    public static string Date => DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>All of it and the number of threads, in one line.</summary>
    public static string Line => $"{Name}; {Versions}; {torch.get_num_threads()} threads; {Date}";
}
