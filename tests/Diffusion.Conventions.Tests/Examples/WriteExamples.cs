using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of the rule about files that it finds an offender and leaves good code alone.</summary>
public sealed class WriteExamples
{
    [Theory]
    [InlineData("AtomicFile.WriteText(path, text)", 0)]
    [InlineData("ImageFile.Save(path, image)", 0)]
    [InlineData("File.OpenRead(path)", 0)]
    [InlineData("new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read)", 0)]
    [InlineData("File.WriteAllBytes(path, bytes)", 1)]
    [InlineData("File.WriteAllTextAsync(path, text)", 1)]
    [InlineData("File.Create(path)", 1)]
    [InlineData("File.Move(from, to, overwrite: true)", 1)]
    [InlineData("new StreamWriter(path)", 1)]
    [InlineData("new FileStream(path, FileMode.Create)", 1)]
    [InlineData("new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)", 1)]
    public void Elsewhere_FilesThatMayBeHalfWritten_AreFound(string call, int found) =>
        Assert.Equal(found, WriteRules.Elsewhere([SourceFile.Parse("a.cs", $"class A {{ object M() => {call}; }}")]).Count());
}
