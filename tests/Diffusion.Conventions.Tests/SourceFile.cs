using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Diffusion.Conventions.Tests;

/// <summary>One C# file and its syntax.</summary>
internal sealed record SourceFile(string Path, string Text, SyntaxNode Root)
{
    /// <summary>The number of lines.</summary>
    public int Lines => Text.AsSpan().TrimEnd('\n').Count('\n') + 1;

    public static SourceFile Read(string path) =>
        Parse(System.IO.Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'), File.ReadAllText(path));

    /// <summary>Also for files that exist in a test only.</summary>
    public static SourceFile Parse(string path, string text)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview, DocumentationMode.Parse);
        return new SourceFile(path, text, CSharpSyntaxTree.ParseText(text, options).GetRoot());
    }

    public IEnumerable<T> All<T>()
        where T : SyntaxNode => Root.DescendantNodes().OfType<T>();

    /// <summary>"path(line): message".</summary>
    public string At(Location location, string message) => $"{Path}({location.GetLineSpan().StartLinePosition.Line + 1}): {message}";
}
