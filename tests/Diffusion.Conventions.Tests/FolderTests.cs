using Diffusion.Conventions.Tests.Rules;
using Microsoft.CodeAnalysis;

namespace Diffusion.Conventions.Tests;

/// <summary>Folders of a library depend on each other one way.</summary>
public sealed class FolderTests
{
    /// <summary>The libraries that keep to it.</summary>
    public static TheoryData<string> Libraries { get; } = ["Diffusion.Kernels"];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Folders_OfALibrary_DependOnEachOtherOneWay(string library)
    {
        var code = Sources.Compile(library, Repository.Sources($"src/{library}"));

        Assert.Empty(code.GetDiagnostics().Where(IsUnknown).Select(diagnostic => diagnostic.ToString()).Take(10)); // else there are uses that nobody sees
        Assert.NotEmpty(FolderRules.Uses(code, Sources.FoldersOf($"src/{library}")).Take(1));
        Offenders.None("A cycle of folders:", FolderRules.Cycles(code, Sources.FoldersOf($"src/{library}")));
    }

    // Partial methods without a body are of the SDK's generators; all else is understood.
    private static bool IsUnknown(Diagnostic diagnostic) => diagnostic.Severity == DiagnosticSeverity.Error && diagnostic.Id is not "CS8795";
}
