using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>How loops over vectors are compiled.</summary>
internal static class Loop
{
    /// <summary>
    /// At once and for itself. Inlined into its caller, as the runtime does it after some calls, a loop becomes part of a method so large that what is small in it is no longer inlined:
    /// a call for each vector, which took five times the time of attention.
    /// </summary>
    public const MethodImplOptions Alone = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;
}
