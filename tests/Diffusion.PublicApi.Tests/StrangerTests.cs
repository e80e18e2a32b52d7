using System.Reflection;
using System.Runtime.CompilerServices;

namespace Diffusion.PublicApi.Tests;

/// <summary>What the other tests of this project rest on: they see what any user sees.</summary>
public sealed class StrangerTests
{
    [Theory]
    [InlineData("Diffusion.Core")]
    [InlineData("Diffusion.Models")]
    [InlineData("Diffusion.Imaging")]
    [InlineData("Diffusion.Configuration")]
    public void InternalsVisibleTo_OfEachLibrary_DoesNotNameThisAssembly(string library)
    {
        var friends = Assembly.Load(library).GetCustomAttributes<InternalsVisibleToAttribute>()
            .Select(friend => new AssemblyName(friend.AssemblyName).Name).ToArray();

        Assert.DoesNotContain(typeof(StrangerTests).Assembly.GetName().Name, friends);
        Assert.Contains($"{library}.Tests", friends);
        Assert.All(friends, friend => Assert.True(friend!.EndsWith(".Tests", StringComparison.Ordinal) || friend == "Diffusion.Benchmarks", friend)); // nothing that ships
    }
}
