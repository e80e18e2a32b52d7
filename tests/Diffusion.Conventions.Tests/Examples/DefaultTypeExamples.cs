using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of the rule about types that it finds an offender and leaves good code alone.</summary>
public sealed class DefaultTypeExamples
{
    [Theory]
    [InlineData("zeros(shape, dtype: ScalarType.Float32)", 0)]
    [InlineData("torch.zeros(shape, dtype: type)", 0)]
    [InlineData("randn(shape, ScalarType.Float32, generator: generator)", 0)]
    [InlineData("empty(shape, entry.Info.Type, CPU)", 0)]
    [InlineData("empty(shape, images.dtype)", 0)]
    [InlineData("full(shape, one, B ? ScalarType.Int64 : ScalarType.Float32)", 0)]
    [InlineData("zeros_like(images)", 0)]
    [InlineData("tensor(numbers)", 0)]
    [InlineData("Enumerable.full(3)", 0)]
    [InlineData("zeros(shape)", 1)]
    [InlineData("torch.zeros(1)", 1)]
    [InlineData("empty([2, 3], device: CPU)", 1)]
    [InlineData("linspace(0, 1, 5).to(ScalarType.Float32)", 1)]
    public void WithoutType_TensorsOfTheDefaultType_AreFound(string call, int found) =>
        Assert.Equal(found, DefaultTypeRules.WithoutType([SourceFile.Parse("a.cs", $"class A {{ object M() => {call}; }}")]).Count());
}
