using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

public class MemoryPoisonTests
{
    [Fact]
    public void Spread_ThenEmpty_ReadsNaNInMostBlocks()
    {
        using var scope = NewDisposeScope();
        MemoryPoison.Spread();
        var poisoned = 0;
        for (var elements = 64; elements <= 1 << 20; elements *= 2)
        {
            poisoned += empty(elements).isnan().any().ToBoolean() ? 1 : 0;
        }

        Assert.InRange(poisoned, 10, 15);
    }
}
