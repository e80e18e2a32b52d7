using System.Reflection;
using System.Runtime.CompilerServices;

namespace Diffusion.PublicApi.Tests;

/// <summary>What the other tests of this project rest on: they see what any user sees.</summary>
public sealed class StrangerTests
{
    // What ships together from here: what they tell each other is nobody else's API.
    private static readonly string[] s_libraries = ["Diffusion.Core", "Diffusion.Kernels", "Diffusion.Models", "Diffusion.Imaging", "Diffusion.Imaging.ImageSharp", "Diffusion.Observers", "Diffusion.Evaluation", "Diffusion.Configuration"];

    [Theory]
    [InlineData("Diffusion.Core")]
    [InlineData("Diffusion.Kernels")]
    [InlineData("Diffusion.Models")]
    [InlineData("Diffusion.Imaging")]
    [InlineData("Diffusion.Imaging.ImageSharp")]
    [InlineData("Diffusion.Observers")]
    [InlineData("Diffusion.Evaluation")]
    [InlineData("Diffusion.Configuration")]
    public void InternalsVisibleTo_OfEachLibrary_DoesNotNameThisAssembly(string library)
    {
        var friends = Assembly.Load(library).GetCustomAttributes<InternalsVisibleToAttribute>()
            .Select(friend => new AssemblyName(friend.AssemblyName).Name).ToArray();

        Assert.DoesNotContain(typeof(StrangerTests).Assembly.GetName().Name, friends);
        Assert.DoesNotContain(friends, friend => friend!.StartsWith("Diffusion.Sample", StringComparison.Ordinal));
        Assert.Contains($"{library}.Tests", friends);
        Assert.All(friends, friend => Assert.True(friend!.EndsWith(".Tests", StringComparison.Ordinal) || friend == "Diffusion.Benchmarks" || s_libraries.Contains(friend), friend)); // nothing else
    }
}
