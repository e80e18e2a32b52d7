using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Diffusion.Conventions.Tests;

/// <summary>Sources as the compiler understands them.</summary>
internal static class Sources
{
    // What the SDK adds to each project (ImplicitUsings).
    private const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions s_options = new(LanguageVersion.Preview);

    private static readonly Lazy<IReadOnlyList<MetadataReference>> s_references = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))]);

    /// <summary>Files as one assembly. What it refers to is what these tests refer to, but for a library of the same name.</summary>
    public static CSharpCompilation Compile(string assembly, IEnumerable<SourceFile> files) => CSharpCompilation.Create(
        assembly,
        [CSharpSyntaxTree.ParseText(Usings, s_options), .. files.Select(file => CSharpSyntaxTree.ParseText(file.Text, s_options, file.Path))],
        s_references.Value.Where(reference => Path.GetFileNameWithoutExtension(reference.Display) != assembly),
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));

    /// <summary>The folder of a file below that of its project: "Graph" of "src/X/Graph/Y.cs", "." of "src/X/Y.cs".</summary>
    public static Func<string, string?> FoldersOf(string project) => path =>
        path.StartsWith(project + "/", StringComparison.Ordinal) ? (Path.GetDirectoryName(path[(project.Length + 1)..]) is { Length: > 0 } folder ? folder.Replace('\\', '/') : ".") : null;
}
