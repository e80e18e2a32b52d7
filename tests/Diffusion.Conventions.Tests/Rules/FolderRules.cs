using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Dependencies between the folders of an assembly, from what symbols its code uses: names, and types that no name says.</summary>
internal static class FolderRules
{
    /// <summary>A use of a type of one folder by a type of another.</summary>
    internal readonly record struct Use(string From, string To, string Type, string Used);

    /// <summary>The uses that are part of a cycle of folders, of any length.</summary>
    /// <param name="code">The assembly.</param>
    /// <param name="folderOf">The folder of a path; <see langword="null"/> for files that count to none.</param>
    public static IEnumerable<string> Cycles(Compilation code, Func<string, string?> folderOf)
    {
        var uses = Uses(code, folderOf).Distinct().ToArray();
        var next = uses.ToLookup(use => use.From, use => use.To);
        var reached = next.Select(group => group.Key).ToDictionary(folder => folder, folder => Reached(folder, next));
        return from use in uses
               where reached.TryGetValue(use.To, out var back) && back.Contains(use.From)
               select $"{use.From} → {use.To}: {use.Type} → {use.Used}";
    }

    /// <summary>Every use across folders.</summary>
    public static IEnumerable<Use> Uses(Compilation code, Func<string, string?> folderOf) =>
        from tree in code.SyntaxTrees
        let folder = folderOf(tree.FilePath)
        where folder is not null
        let model = code.GetSemanticModel(tree)
        from node in tree.GetRoot().DescendantNodes()
        from type in Types(model, node).Distinct<INamedTypeSymbol>(SymbolEqualityComparer.Default)
        from other in type.DeclaringSyntaxReferences.Select(reference => folderOf(reference.SyntaxTree.FilePath)).OfType<string>().Distinct()
        where other != folder
        select new Use(folder, other, NameAround(node), Outermost(type).Name);

    /// <summary>The types of this code that a piece of syntax uses: of what it refers to, and of its value.</summary>
    private static IEnumerable<INamedTypeSymbol> Types(SemanticModel model, SyntaxNode node)
    {
        var symbol = node is ExpressionSyntax or ConstructorInitializerSyntax or AttributeSyntax ? model.GetSymbolInfo(node).Symbol : null;
        var value = node is ExpressionSyntax ? model.GetTypeInfo(node) : default;
        IEnumerable<ITypeSymbol?> types = [symbol as ITypeSymbol, symbol?.ContainingType, value.Type, value.ConvertedType];
        return types.Concat((symbol as IMethodSymbol)?.TypeArguments ?? []).SelectMany(Named).Where(type => SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, model.Compilation.Assembly));
    }

    private static IEnumerable<INamedTypeSymbol> Named(ITypeSymbol? type) => type switch
    {
        INamedTypeSymbol named => [Outermost(named), .. named.TypeArguments.SelectMany(Named)],
        IArrayTypeSymbol array => Named(array.ElementType),
        IPointerTypeSymbol pointer => Named(pointer.PointedAtType),
        _ => [],
    };

    private static INamedTypeSymbol Outermost(INamedTypeSymbol type) => type.ContainingType is { } outer ? Outermost(outer) : type.OriginalDefinition;

    private static string NameAround(SyntaxNode node) => node.AncestorsAndSelf().Select(parent => parent switch
    {
        BaseTypeDeclarationSyntax type => type.Identifier.Text,
        DelegateDeclarationSyntax type => type.Identifier.Text,
        _ => null,
    }).LastOrDefault(name => name is not null) ?? "?";

    private static HashSet<string> Reached(string start, ILookup<string, string> next)
    {
        var found = new HashSet<string>();
        var waiting = new Stack<string>(next[start]);
        while (waiting.TryPop(out var folder))
        {
            if (found.Add(folder))
            {
                foreach (var other in next[folder])
                {
                    waiting.Push(other);
                }
            }
        }

        return found;
    }
}
