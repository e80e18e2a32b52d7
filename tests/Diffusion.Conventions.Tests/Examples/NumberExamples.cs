using Diffusion.Conventions.Tests.Rules;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of each rule about numbers that it finds an offender and leaves good code alone.</summary>
public sealed class NumberExamples
{
    [Fact]
    public void Uses_EachWayOfWriting_IsFound() => Assert.Equal(
        [
            "M:TorchSharp.Scalar.op_Implicit(System.Double)~TorchSharp.Scalar",
            "M:TorchSharp.torch.Tensor.op_Addition(TorchSharp.torch.Tensor,TorchSharp.torch.Tensor)",
            "M:TorchSharp.torch.Tensor.op_Multiply(TorchSharp.torch.Tensor,System.Int32)",
            "M:TorchSharp.torch.Tensor.square",
            "M:TorchSharp.torch.optim.SGD(System.Collections.Generic.IEnumerable{TorchSharp.Modules.Parameter},System.Double,System.Double,System.Double,System.Double,System.Boolean,System.Boolean)",
        ],
        NumberRules.Uses(typeof(NumberExamples).Assembly).Select(use => use.Split(' ')[^1]).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("void M() { using var half = 0.5.ToScalar(); }", 0)]
    [InlineData("void M() { using var either = B ? 1.ToScalar() : 0.5.ToScalar(); }", 0)]
    [InlineData("static Scalar Half { get; } = 0.5.ToScalar();", 0)]
    [InlineData("static readonly Scalar s_half = 0.5.ToScalar();", 0)]
    [InlineData("void M() { var half = 0.5.ToScalar(); }", 1)]
    [InlineData("void M() { using var halved = values.mul(0.5.ToScalar()); }", 1)]
    [InlineData("void M() { using var halved = B ? values.mul(0.5.ToScalar()) : values; }", 1)]
    [InlineData("Tensor M() => values * 0.5.ToScalar();", 1)]
    [InlineData("Scalar Half => 0.5.ToScalar();", 1)]
    [InlineData("Scalar _half = 0.5.ToScalar();", 1)]
    public void Unkept_NumbersOfNobody_AreFound(string member, int found) =>
        Assert.Equal(found, NumberRules.Unkept([SourceFile.Parse("a.cs", $"class A {{ {member} }}")]).Count());

    /// <summary>Breaks the rule on purpose; not called.</summary>
    internal static Tensor Bad(Tensor values, IEnumerable<TorchSharp.Modules.Parameter> parameters)
    {
        values *= 3;
        values += values.square();
        _ = optim.SGD(parameters, 0.1);
        foreach (Scalar number in new[] { 0.5 })
        {
            values = values.mul(number);
        }

        return values;
    }
}
