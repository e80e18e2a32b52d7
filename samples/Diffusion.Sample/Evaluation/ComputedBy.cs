using System.Reflection;
using Diffusion.Evaluation;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>What computes features and their sums, as far as it can change the last digits: another processor, or another libtorch, adds up in another order.</summary>
internal static class ComputedBy
{
    // What libtorch, and the libraries it computes with, take for the limit of a processor's instructions.
    private static readonly string[] s_variables = ["ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR"];

    public static string Text => string.Join(", ",
    [
        $"version {typeof(DiffusionRuntime).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown"}",
        $"libtorch {__version__}",
        DiffusionRuntime.ProcessorDescription,
        $"{get_num_threads()} threads",
        $"batches of {new EvaluationOptions().BatchSize}",
        .. s_variables.Select(name => (Name: name, Value: Environment.GetEnvironmentVariable(name))).Where(each => !string.IsNullOrEmpty(each.Value)).Select(each => $"{each.Name}={each.Value}"),
    ]);
}
