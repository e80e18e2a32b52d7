using System.Xml.Linq;
using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests;

/// <summary>The conventions over the sources and the project files.</summary>
public sealed class SourceTests
{
    private static readonly IReadOnlyList<SourceFile> Libraries = Repository.Sources("src");
    private static readonly IReadOnlyList<SourceFile> Tests = Repository.Sources("tests");
    private static readonly IReadOnlyList<(string Path, string Text)> Documents =
        [.. Repository.Files(".", "*.md").Select(path => (Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'), File.ReadAllText(path)))];

    [Fact]
    public void Scan_OfTheRepository_FindsTheSources()
    {
        Assert.Contains(Libraries, file => file.Path == "src/Diffusion.Core/IO/AtomicFile.cs");
        Assert.Contains(Tests, file => file.Path == "tests/Diffusion.Conventions.Tests/SourceTests.cs");
        Assert.DoesNotContain(Libraries.Concat(Tests), file => file.Path.Contains("/obj/", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_OfTheLibraries_AreShort()
    {
        Offenders.None($"Files of more than {SourceRules.MostLines} lines:", SourceRules.TooLong(Libraries));
        Assert.InRange(SourceRules.Median(Libraries), 0, SourceRules.MedianLines);
    }

    [Fact]
    public void Names_OfTheLibraries_AreTheWordsOfTheField() => Offenders.None("Names with a standard word:", WordRules.BadNames(Libraries));

    [Fact]
    public void Comments_OfTheLibraries_AreTheWordsOfTheField() => Offenders.None("Phrases with a standard word:", WordRules.BadComments(Libraries));

    [Fact]
    public void Documents_OfTheRepository_AreTheWordsOfTheField() => Offenders.None("Phrases with a standard word:", WordRules.BadTexts(Documents));

    [Fact]
    public void Links_OfTheDocuments_LeadSomewhere()
    {
        Assert.Contains(Documents, document => document.Path == "docs/files.md");
        Assert.True(Documents.Sum(document => LinkRules.Links(document.Text).Count()) > 200, "the documents have hundreds of links");
        Offenders.None("A link of a document leads nowhere:", LinkRules.Broken(Documents, Repository.Has));
    }

    [Fact]
    public void Namespaces_OfTheSources_AreTheAssemblys() => Offenders.None(
        "One namespace an assembly:",
        Repository.Libraries.Select(library => library.GetName().Name!).SelectMany(library => SourceRules.OtherNamespace(
            Libraries.Where(file => file.Path.StartsWith($"src/{library}/", StringComparison.Ordinal) && !file.Path.Contains("/buildTransitive/", StringComparison.Ordinal)),
            Repository.NamespaceOf(library))));

    [Fact]
    public void Libraries_AsTheyAre_LeaveNothingUnfinished() => Offenders.None("Unfinished work:", SourceRules.Unfinished(Libraries));

    [Fact]
    public void Sources_OfAllProjects_DoNotSleep() => Offenders.None("Wait for an event, not for a time:", SourceRules.Sleeps(Libraries.Concat(Tests)));

    [Fact]
    public void Tests_OfAllProjects_ReadNoClock() => Offenders.None("A test reads a clock:", SourceRules.ReadsClock(Tests));

    [Fact]
    public void Scopes_OfAllProjects_AreNotLeftOpen() => Offenders.None(
        "await or yield in a method that opens a scope:", SourceRules.LeavesOpenScope(Libraries.Concat(Tests)));

    [Fact]
    public void Numbers_OfTheLibraries_BelongToSomebody() => Offenders.None("A number for libtorch without using:", NumberRules.Unkept(Libraries));

    [Fact]
    public void Tensors_OfTheLibraries_HaveATypeOfTheirOwn() => Offenders.None("A tensor of torch's default type; give it dtype:", DefaultTypeRules.WithoutType(Libraries));

    [Fact]
    public void Files_OfLibrariesAndSamples_AreWholeOrAbsent() => Offenders.None("A file that may be half written; AtomicFile, or what the libraries offer:", WriteRules.Elsewhere(Libraries.Concat(Repository.Sources("samples"))));

    [Fact]
    public void Texts_OfTheLibraries_AreOfNoCulture() => Offenders.None(
        "A number is written as the culture of the moment does; string.Create(CultureInfo.InvariantCulture, …) or FormattableString.Invariant(…):",
        Repository.Libraries.Select(library => library.GetName().Name!).SelectMany(library =>
        {
            IReadOnlyList<SourceFile> files = [.. Libraries.Where(file => file.Path.StartsWith($"src/{library}/", StringComparison.Ordinal))];
            return CultureRules.OfTheCulture(Sources.Compile(library, files), files);
        }));

    [Fact]
    public void Numerics_OfCore_CiteTheirSource() => Offenders.None(
        "Numerics without a source:",
        DocumentationRules.WithoutSource([.. Libraries.Where(file =>
            new[] { "Schedules", "Parameterizations", "Sampling" }.Any(folder => file.Path.StartsWith($"src/Diffusion.Core/{folder}/", StringComparison.Ordinal)))]));

    [Fact]
    public void Names_OfTests_SayMethodStateAndOutcome() => Offenders.None("Tests are named Method_State_Outcome:", SourceRules.BadTestNames(Tests));

    [Fact]
    public void Tests_ThatCannotRunHere_AreSkipped() => Offenders.None(
        "A test returns early; Assert.Skip, SkipUnless or SkipWhen says what is missing:", SourceRules.ReturnsEarly(Tests));

    [Fact]
    public void Files_OfAllProjects_AreCompiledOnce() => Offenders.None(
        "A file that several assemblies compile:",
        CompiledFiles.InSeveral(
            Repository.Files(".", "*.csproj").Select(path => (Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'), XDocument.Load(path))),
            [.. Repository.Files(".", "*.cs").Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))]));

    [Fact]
    public void SuppressedWarnings_InProjectsAndSources_HaveTheirReason() => Offenders.None(
        "A warning is turned off and nothing says why:",
        new[] { "*.csproj", "*.props", "*.targets" }.SelectMany(pattern => Repository.Files(".", pattern))
            .SelectMany(path => ProjectFileRules.UnexplainedNoWarn(Path.GetRelativePath(Repository.Root, path), XDocument.Load(path)))
            .Concat(SourceRules.UnexplainedPragmas(Libraries.Concat(Tests))));
}
