using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>What the rules of words find, and what they let pass.</summary>
public sealed class WordExamples
{
    [Theory]
    [InlineData("int MostSteps;", true)]
    [InlineData("int _least;", true)]
    [InlineData("int stepsMost;", true)]
    [InlineData("int MaxSteps;", false)]
    [InlineData("int Mostly;", false)]
    [InlineData("double KeepParallel;", true)]
    [InlineData("Tensor OfImages() => null;", true)]
    public void BadNames_Declaration_IsFound(string member, bool bad) =>
        Assert.Equal(bad, WordRules.BadNames([SourceFile.Parse("a.cs", $"class C {{ {member} }}")]).Any());

    [Theory]
    [InlineData("/// <summary>A network that is told labels.</summary>", true)]
    [InlineData("// gives back what it took", true)]
    [InlineData("/// <summary>A class-conditional network.</summary>", false)]
    [InlineData("// the number of steps", false)]
    public void BadComments_Comment_IsFound(string comment, bool bad) =>
        Assert.Equal(bad, WordRules.BadComments([SourceFile.Parse("a.cs", $"{comment}\nclass C {{ }}")]).Any());

    [Fact]
    public void BadTexts_Document_NamesTheLine() =>
        Assert.Equal(["a.md(2): \"is told labels\": class-conditional; takes labels"], WordRules.BadTexts([("a.md", "One\nA network that is told labels\n")]));
}
