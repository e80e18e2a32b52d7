using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class KernelFailureTests
{
    [Fact]
    public void Among_NotANumberAndErrorsBeyondTheTolerance_AreFailures()
    {
        (string, double)[] errors = [("nan", double.NaN), ("large", 1), ("right", 0), ("rounding", 1e-5)];

        var failures = KernelFailure.Among("a case", ScalarType.Float32, errors);

        Assert.Equal(["nan", "large"], failures.Select(failure => failure.Quantity));
        Assert.All(failures, failure => Assert.Equal("a case", failure.Configuration));
    }
}
