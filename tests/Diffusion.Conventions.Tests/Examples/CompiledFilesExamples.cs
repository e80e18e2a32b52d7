using System.Xml.Linq;
using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>That the rule about files of several projects sees what it should.</summary>
public sealed class CompiledFilesExamples
{
    private static readonly string[] s_files = ["src/A/One.cs", "src/A/Build/Task.cs", "src/A/Deep/er/Two.cs", "tests/B/Three.cs"];

    [Theory]
    [InlineData("../../src/A/One.cs", "src/A/One.cs: src/A/A.csproj, tests/B/B.csproj")]
    [InlineData("../../src/A/Deep/**/*.cs", "src/A/Deep/er/Two.cs: src/A/A.csproj, tests/B/B.csproj")]
    [InlineData(@"..\..\src\A\*.cs", "src/A/One.cs: src/A/A.csproj, tests/B/B.csproj")]
    public void InSeveral_AFileOfAnotherProject_IsListed(string pattern, string expected) => Assert.Equal([expected], InSeveral(pattern));

    [Theory]
    [InlineData("../../src/A/Build/Task.cs")] // its own project removes it
    [InlineData("Three.cs")]
    public void InSeveral_AFileOfOneProject_IsFine(string pattern) => Assert.Empty(InSeveral(pattern));

    private static IEnumerable<string> InSeveral(string pattern) => CompiledFiles.InSeveral(
        [
            ("src/A/A.csproj", XDocument.Parse("<Project><ItemGroup><Compile Remove=\"Build/**\" /></ItemGroup></Project>")),
            ("tests/B/B.csproj", new XDocument(new XElement("Project", new XElement("Compile", new XAttribute("Include", pattern))))),
        ],
        s_files);
}
