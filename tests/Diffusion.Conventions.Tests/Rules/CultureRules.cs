using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Texts with numbers are the same in every culture: users of the libraries have one of their own.</summary>
internal static class CultureRules
{
    /// <summary>Interpolated strings with a floating number that are neither in <c>string.Create</c> with a culture nor in <c>FormattableString.Invariant</c>.</summary>
    public static IEnumerable<string> OfTheCulture(CSharpCompilation library, IEnumerable<SourceFile> files)
    {
        var byPath = files.ToDictionary(file => file.Path, StringComparer.Ordinal);
        return from tree in library.SyntaxTrees
               where byPath.ContainsKey(tree.FilePath)
               let model = library.GetSemanticModel(tree)
               from text in tree.GetRoot().DescendantNodes().OfType<InterpolatedStringExpressionSyntax>()
               where model.GetTypeInfo(text).ConvertedType is { SpecialType: SpecialType.System_String or SpecialType.System_Object }
               where text.Contents.OfType<InterpolationSyntax>().Any(hole => IsFloating(model.GetTypeInfo(hole.Expression).Type))
               select byPath[tree.FilePath].At(text.GetLocation(), text.ToString());
    }

    private static bool IsFloating(ITypeSymbol? type) => type switch
    {
        INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable => IsFloating(nullable.TypeArguments[0]),
        { SpecialType: SpecialType.System_Single or SpecialType.System_Double or SpecialType.System_Decimal or SpecialType.System_DateTime } => true,
        { ContainingNamespace.Name: "System", Name: "Half" or "DateTimeOffset" or "TimeSpan" } => true,
        _ => false,
    };
}
