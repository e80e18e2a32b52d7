using Xunit;

namespace Diffusion.Models.Tests;

public sealed class KeyMapTests
{
    [Fact]
    public void Find_EveryName_GivesAMap() => Assert.All(KeyMap.Names, name => Assert.Same(KeyMap.Find(name), KeyMap.Find(name.ToUpperInvariant())));

    [Fact]
    public void Find_UnknownName_ListsTheNames() =>
        Assert.Contains("course", Assert.Throws<ArgumentException>(() => KeyMap.Find("curse")).Message, StringComparison.Ordinal);
}
