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

        Assert.Equal([$"{library}.Tests"], friends); // and no other assembly either
        Assert.DoesNotContain(typeof(StrangerTests).Assembly.GetName().Name, friends);
    }
}
