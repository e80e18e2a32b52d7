using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Diffusion.Benchmarks;

/// <summary>Where a measurement was made.</summary>
internal static class Machine
{
    /// <summary>The processor and the level of it that is used, its cores and the system.</summary>
    public static string Name { get; } =
        $"{Processor.Description}; {Model}{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}";

    /// <summary>Of what computes.</summary>
    public static string Versions =>
        $"{RuntimeInformation.FrameworkDescription}, TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}, libtorch {torch.__version__}";

    public static string Date => DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Family and model, as a processor's name may leave out what it is: AMD's Zen 4 is family 25, Zen 5 is family 26.</summary>
    private static string Model
    {
        get
        {
            if (!X86Base.IsSupported)
            {
                return "";
            }

            var signature = X86Base.CpuId(1, 0).Eax;
            int Bits(int first, int count) => (signature >> first) & ((1 << count) - 1);
            return string.Create(CultureInfo.InvariantCulture, $"family {Bits(8, 4) + Bits(20, 8)}, model {Bits(4, 4) + (Bits(16, 4) << 4)}, ");
        }
    }

    /// <summary>All of it and the number of threads, in one line.</summary>
    public static string Line => $"{Name}; {Versions}; {torch.get_num_threads()} threads; {Date}";
}
