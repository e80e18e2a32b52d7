using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class WeightCacheTests
{
    /// <summary>A layer that computes with several prepared weights holds the first ones while another thread trains.</summary>
    [Fact]
    public void Get_WeightsChangedWithinAStep_LeavesWhatWasPreparedAliveToItsEnd()
    {
        using var noGradients = no_grad();
        using var one = ones(3);
        using var other = ones(3);
        using var cache = new WeightCache();
        Tensor first;
        using (cache.Enter())
        {
            first = PreparedWeights.Get(one, "double", weight => weight * 2);
            Assert.Same(first, PreparedWeights.Get(one, "double", weight => weight * 3));
            WeightCache.Changed();
            PreparedWeights.Get(other, "double", weight => weight * 2);
            Assert.Equal([2, 2, 2], first.data<float>());
            var again = PreparedWeights.Get(one, "double", weight => weight * 3);
            Assert.Equal([3, 3, 3], again.data<float>());
        }

        using (cache.Enter())
        {
            Assert.True(first.IsInvalid);
        }
    }
}
