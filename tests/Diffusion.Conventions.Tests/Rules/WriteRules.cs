using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Files are whole or absent: one class writes them, and a few append to theirs or have them for themselves.</summary>
internal static class WriteRules
{
    private static readonly HashSet<string> s_files =
    [
        "samples/Diffusion.Sample/OutputFolder.cs", // an empty file that is deleted at once
        "src/Diffusion.Core/IO/AtomicFile.cs",
        "src/Diffusion.Core/IO/FolderLock.cs", // an empty file that is locked
        "src/Diffusion.Core/buildTransitive/WeakenVersionReference.cs", // at build time, into the output
        "src/Diffusion.Imaging/Output/GifWriter.cs", // frames, until the animation is complete
        "src/Diffusion.Observers/Csv/CsvFile.cs", // appends whole lines, and mends the last one
        "src/Diffusion.Observers/TensorBoard/EventFile.cs", // appends records with checksums
    ];

    private static readonly HashSet<string> s_writes =
        ["Create", "CreateText", "Open", "OpenWrite", "OpenHandle", "Replace", "Move", "Copy", "WriteAllText", "WriteAllBytes", "WriteAllLines", "AppendText", "AppendAllText", "AppendAllBytes", "AppendAllLines"];

    /// <summary>Files that are written in another way.</summary>
    public static IEnumerable<string> Elsewhere(IEnumerable<SourceFile> files) =>
        from file in files
        where !s_files.Contains(file.Path)
        from offender in Calls(file).Concat(Streams(file))
        select offender;

    private static IEnumerable<string> Calls(SourceFile file) =>
        from call in file.All<InvocationExpressionSyntax>()
        where call.Expression is MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "File" } } member
            && (s_writes.Contains(member.Name.Identifier.Text) || member.Name.Identifier.Text.StartsWith("WriteAll", StringComparison.Ordinal))
        select file.At(call.GetLocation(), call.ToString());

    private static IEnumerable<string> Streams(SourceFile file) =>
        from made in file.All<ObjectCreationExpressionSyntax>()
        where made.Type is IdentifierNameSyntax { Identifier.Text: "StreamWriter" or "FileStream" }
            && made.ArgumentList?.Arguments.Any(argument => argument.ToString().EndsWith("FileAccess.Read", StringComparison.Ordinal)) == false
        select file.At(made.GetLocation(), made.ToString());
}
