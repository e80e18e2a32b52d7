using System.Runtime.CompilerServices;
using Diffusion.Kernels;

namespace Diffusion.Models.Tests;

/// <summary>All tests of this project look whether kernels write beside their memory.</summary>
internal static class GuardedScratch
{
    [ModuleInitializer]
    internal static void TurnOn() => TileScratch.IsGuarded = true;
}
