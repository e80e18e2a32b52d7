using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Rules about source text, by its syntax.</summary>
internal static partial class SourceRules
{
    public const int MostLines = 400;
    public const int MedianLines = 80;

    private static readonly HashSet<string> Scopes = ["NewDisposeScope", "WrappedTensorDisposeScope", "no_grad", "inference_mode", "enable_grad", "set_grad_enabled"];
    private static readonly HashSet<string> Clocks = ["Stopwatch", "TickCount", "TickCount64", "GetTimestamp", "GetElapsedTime"];

    public static IEnumerable<string> TooLong(IEnumerable<SourceFile> files) =>
        from file in files where file.Lines > MostLines select $"{file.Path}: {file.Lines} lines";

    /// <summary>The median length of the files, and 0 where there are none.</summary>
    public static int Median(IEnumerable<SourceFile> files)
    {
        var lines = files.Select(file => file.Lines).Order().ToArray();
        return lines.Length == 0 ? 0 : lines[(lines.Length - 1) / 2];
    }

    public static IEnumerable<string> OtherNamespace(IEnumerable<SourceFile> files, string expected) =>
        from file in files
        from declaration in file.All<BaseNamespaceDeclarationSyntax>()
        where declaration.Name.ToString() != expected
        select file.At(declaration.Name.GetLocation(), $"namespace {declaration.Name}, not {expected}");

    /// <summary>Work that is left over, said in a comment or by an exception.</summary>
    public static IEnumerable<string> Unfinished(IEnumerable<SourceFile> files) =>
        from file in files
        from place in file.Root.DescendantTrivia(descendIntoTrivia: true).Where(t => Unfinished().IsMatch(t.ToString()) && !t.HasStructure).Select(t => (At: t.GetLocation(), Text: Unfinished().Match(t.ToString()).Value))
            .Concat(file.Root.DescendantTokens(descendIntoTrivia: true).Where(t => t.ValueText == nameof(NotImplementedException) || (t.IsKind(SyntaxKind.XmlTextLiteralToken) && Unfinished().IsMatch(t.Text)))
                .Select(t => (At: t.GetLocation(), Text: t.ValueText.Trim())))
        select file.At(place.At, place.Text);

    public static IEnumerable<string> Sleeps(IEnumerable<SourceFile> files) =>
        from file in files
        from access in file.All<MemberAccessExpressionSyntax>()
        where access.Name.Identifier.Text == "Sleep" && access.Expression.ToString().Split('.')[^1] == "Thread"
        select file.At(access.GetLocation(), "Thread.Sleep");

    /// <summary>A test that reads a clock says more of the machine than of the code.</summary>
    public static IEnumerable<string> ReadsClock(IEnumerable<SourceFile> files) =>
        from file in files
        from name in file.All<SimpleNameSyntax>()
        where Clocks.Contains(name.Identifier.Text) || (name.Identifier.Text is "Now" or "UtcNow" && name.Parent is MemberAccessExpressionSyntax { Expression: var of } && of.ToString().Split('.')[^1] is "DateTime" or "DateTimeOffset")
        select file.At(name.GetLocation(), name.Parent?.ToString() ?? name.ToString());

    /// <summary>
    /// Scopes and gradient modes belong to a thread: after an await the method may be on another, and between two yields the caller runs.
    /// </summary>
    public static IEnumerable<string> LeavesOpenScope(IEnumerable<SourceFile> files) =>
        from file in files
        from function in file.Root.DescendantNodes().Where(IsFunction)
        let own = function.DescendantNodes(node => node == function || !IsFunction(node)).Where(node => node != function).ToArray()
        where own.OfType<InvocationExpressionSyntax>().Any(call => Scopes.Contains(CalledName(call)))
        from leave in own.Where(node => node is AwaitExpressionSyntax or YieldStatementSyntax or ForEachStatementSyntax { AwaitKeyword.Text: "await" } or LocalDeclarationStatementSyntax { AwaitKeyword.Text: "await" } or UsingStatementSyntax { AwaitKeyword.Text: "await" })
        select file.At(leave.GetLocation(), $"{leave.GetFirstToken()} in a method that opens a scope or changes the gradient mode");

    /// <summary>An analyser's warning that is turned off says why on its line or the line above.</summary>
    public static IEnumerable<string> UnexplainedPragmas(IEnumerable<SourceFile> files) =>
        from file in files
        let lines = file.Text.Split('\n')
        from i in Enumerable.Range(0, lines.Length)
        where lines[i].TrimStart().StartsWith("#pragma warning disable", StringComparison.Ordinal)
        where !lines[i].Contains("//", StringComparison.Ordinal) && !(i > 0 && lines[i - 1].TrimStart().StartsWith("//", StringComparison.Ordinal))
        select $"{file.Path}({i + 1}): {lines[i].Trim()}";

    /// <summary>Tests are named Method_State_Outcome.</summary>
    public static IEnumerable<string> BadTestNames(IEnumerable<SourceFile> files) =>
        from file in files
        from method in file.All<MethodDeclarationSyntax>()
        where IsTest(method)
        where !TestName().IsMatch(method.Identifier.Text)
        select file.At(method.Identifier.GetLocation(), method.Identifier.Text);

    /// <summary>A test that returns early counts as passed and has shown nothing; one that cannot run here is skipped and says what is missing. That goes for the methods it calls beside it, too.</summary>
    public static IEnumerable<string> ReturnsEarly(IEnumerable<SourceFile> files) =>
        from file in files
        from type in file.All<TypeDeclarationSyntax>()
        let methods = type.Members.OfType<MethodDeclarationSyntax>().ToArray()
        where methods.Any(IsTest)
        from method in methods
        from leave in method.DescendantNodes(node => node == method || !IsFunction(node)).OfType<ReturnStatementSyntax>()
        where leave.Expression is null
        select file.At(leave.GetLocation(), $"return; in {method.Identifier.Text}");

    private static bool IsTest(MethodDeclarationSyntax method) =>
        method.AttributeLists.SelectMany(list => list.Attributes).Any(a => a.Name.ToString() is "Fact" or "Theory");

    private static bool IsFunction(SyntaxNode node) =>
        node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax or AccessorDeclarationSyntax;

    private static string CalledName(InvocationExpressionSyntax call) => call.Expression switch
    {
        MemberAccessExpressionSyntax member => member.Name.Identifier.Text,
        SimpleNameSyntax name => name.Identifier.Text,
        _ => string.Empty,
    };

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+){2,}$")]
    private static partial Regex TestName();
}
