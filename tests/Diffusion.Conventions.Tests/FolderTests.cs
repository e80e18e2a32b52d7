using Diffusion.Conventions.Tests.Rules;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Diffusion.Conventions.Tests;

/// <summary>Folders of a library are small and depend on each other one way.</summary>
public sealed class FolderTests
{
    /// <summary>All libraries.</summary>
    public static TheoryData<string> Libraries { get; } = [.. Repository.Libraries.Select(library => library.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Folders_OfALibrary_DependOnEachOtherOneWay(string library) =>
        Offenders.None("Folders that depend on each other in cycles:", FolderRules.Cycles(Compiled(library), Sources.FoldersOf($"src/{library}")));

    // Else there are uses that nobody sees.
    [Theory]
    [MemberData(nameof(Libraries))]
    public void Sources_OfALibrary_AreUnderstoodWhole(string library)
    {
        var code = Compiled(library);
        Offenders.None("Errors:", code.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error && !IsOfAGenerator(code, diagnostic)).Select(diagnostic => diagnostic.ToString()));
        Assert.True(library == "Diffusion.Configuration" || FolderRules.Uses(code, Sources.FoldersOf($"src/{library}")).Any());
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Folders_OfALibrary_HoldFewFiles(string library)
    {
        var files = Files(library).Select(file => file.Path).ToArray();
        Assert.NotEmpty(files);
        Offenders.None("Folders of too many files:", FolderRules.TooMany(files, Sources.FoldersOf($"src/{library}")));
    }

    private static CSharpCompilation Compiled(string library) => Sources.Compile(library, Files(library));

    // What a package adds to its users' builds is no part of the library.
    private static IEnumerable<SourceFile> Files(string library) =>
        Repository.Sources($"src/{library}").Where(file => !file.Path.StartsWith($"src/{library}/buildTransitive/", StringComparison.Ordinal));

    // A partial method whose body the SDK's generators write: its declaration, or where a delegate is made from it.
    private static bool IsOfAGenerator(CSharpCompilation code, Diagnostic diagnostic)
    {
        if (diagnostic.Id is not ("CS8795" or "CS0762") || diagnostic.Location.SourceTree is not { } tree)
        {
            return false;
        }

        var model = code.GetSemanticModel(tree);
        var node = tree.GetRoot().FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
        var info = model.GetSymbolInfo(node);
        var method = model.GetDeclaredSymbol(node) ?? info.Symbol ?? info.CandidateSymbols.SingleOrDefault();
        return method?.GetAttributes().Any(attribute => attribute.AttributeClass?.ToDisplayString() is
            "System.Runtime.InteropServices.LibraryImportAttribute" or "Microsoft.Extensions.Logging.LoggerMessageAttribute" or "System.Text.RegularExpressions.GeneratedRegexAttribute") is true;
    }
}
