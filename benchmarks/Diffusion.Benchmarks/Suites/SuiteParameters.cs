using TorchSharp;

namespace Diffusion.Benchmarks;

/// <summary>What the suites have in common: devices, number formats, sizes.</summary>
internal static class SuiteParameters
{
    private const string Cpu = "cpu";
    private const string Cuda = "cuda";

    /// <summary>Whether the suites run once at the smallest sizes, to show that they run.</summary>
    public static bool Quick { get; set; }

    public static ReferenceSize Size => ReferenceSize.Of(Quick);

    public static IEnumerable<string> Devices => torch.cuda.is_available() ? [Cpu, Cuda] : [Cpu];

    /// <summary>What is left out of the parameters, and why.</summary>
    public static IEnumerable<string> Skipped
    {
        get
        {
            if (!torch.cuda.is_available())
            {
                yield return $"{Cuda}: skipped: no CUDA device";
            }

            foreach (var format in NumberFormats.All.Where(format => !Trains(format)))
            {
                yield return $"{format.Short()} of networks: skipped: not available";
            }
        }
    }

    /// <summary>Whether networks compute in the format.</summary>
    public static bool Trains(NumberFormat format) => NumberFormats.Training(new TrainerOptions(), format) is not null;

    /// <summary>The values, or the first alone where the suites are only to be shown to run.</summary>
    public static IEnumerable<T> Some<T>(params T[] values) => Quick ? values.Take(1) : values;
}
