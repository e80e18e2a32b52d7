using Xunit;

namespace Diffusion.Models.Tests;

public sealed class KeyMapCatalogTests
{
    [Fact]
    public void Find_EveryName_GivesAMap() => Assert.All(KeyMapCatalog.Names, name => Assert.Same(KeyMapCatalog.Find(name), KeyMapCatalog.Find(name.ToUpperInvariant())));

    [Fact]
    public void Find_UnknownName_ListsTheNames() =>
        Assert.Contains("course", Assert.Throws<ArgumentException>(() => KeyMapCatalog.Find("curse")).Message, StringComparison.Ordinal);
}
