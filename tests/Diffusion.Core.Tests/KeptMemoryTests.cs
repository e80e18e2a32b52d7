using Xunit;

namespace Diffusion.Core.Tests;

public sealed class KeptMemoryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData((64 << 10) - 1)]
    [InlineData((32 << 20) + 1)]
    public void KeepFreedMemory_BoundThatGlibcRefuses_IsAnError(int bound) =>
        Assert.Throws<ArgumentOutOfRangeException>("upTo", () => DiffusionRuntime.KeepFreedMemory(bound));
}
