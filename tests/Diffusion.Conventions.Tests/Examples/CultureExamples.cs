using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of the rule about cultures that it finds an offender and leaves good code alone.</summary>
public sealed class CultureExamples
{
    [Theory]
    [InlineData("string M(double x) => FormattableString.Invariant($\"{x}\");", 0)]
    [InlineData("string M(double x) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $\"{x}\");", 0)]
    [InlineData("string M(string x) => $\"{x}\";", 0)]
    [InlineData("string M(double x) => $\"{x}\";", 1)]
    [InlineData("string M(float? x) => $\"{x:R}\";", 1)]
    [InlineData("string M(TimeSpan x) => \"it took \" + $\"{x}\";", 1)]
    [InlineData("void M(double x) => Console.WriteLine($\"{x}\");", 1)]
    public void OfTheCulture_TextWithANumber_IsFound(string member, int found)
    {
        SourceFile[] files = [SourceFile.Parse("a.cs", $"class A {{ {member} }}")];
        Assert.Equal(found, CultureRules.OfTheCulture(Sources.Compile("A", files), files).Count());
    }
}
