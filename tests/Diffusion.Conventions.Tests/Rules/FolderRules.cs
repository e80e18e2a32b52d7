using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Dependencies between the folders of an assembly, from what symbols its code uses: names, and types that no name says.</summary>
internal static class FolderRules
{
    /// <summary>A folder of more files is more than one subject.</summary>
    public const int FilesOfAFolder = 35;

    /// <summary>What a whole assembly uses, like its guards.</summary>
    public const int FilesOfTheRoot = 2;

    // Pairs of files of one edge that a failure lists: an edge of more is not removed by moving a type.
    private const int PairsListed = 40;

    /// <summary>A use of a type of one folder by a type of another, with the files of both.</summary>
    internal readonly record struct Use(string From, string To, string File, string Type, string UsedFile, string Used);

    /// <summary>The groups of folders that all depend on each other, and what makes each edge within a group.</summary>
    /// <param name="code">The assembly.</param>
    /// <param name="folderOf">The folder of a path; <see langword="null"/> for files that count to none.</param>
    public static IEnumerable<string> Cycles(Compilation code, Func<string, string?> folderOf)
    {
        var uses = Uses(code, folderOf).Distinct().ToArray();
        var next = uses.ToLookup(use => use.From, use => use.To);
        var reached = next.ToDictionary(group => group.Key, group => Reached(group.Key, next));
        var groups = from folder in reached.Keys.Order(StringComparer.Ordinal)
                     where reached[folder].Contains(folder)
                     group folder by reached.Keys.Where(other => reached[folder].Contains(other) && reached[other].Contains(folder)).Min(StringComparer.Ordinal);
        return groups.Select(group => Group([.. group], uses));
    }

    /// <summary>Every use across folders.</summary>
    public static IEnumerable<Use> Uses(Compilation code, Func<string, string?> folderOf) =>
        from tree in code.SyntaxTrees
        let folder = folderOf(tree.FilePath)
        where folder is not null
        let model = code.GetSemanticModel(tree)
        from node in tree.GetRoot().DescendantNodes()
        from type in Types(model, node).Distinct<INamedTypeSymbol>(SymbolEqualityComparer.Default)
        from file in type.DeclaringSyntaxReferences.Select(reference => reference.SyntaxTree.FilePath).Distinct()
        let other = folderOf(file)
        where other is not null && other != folder
        select new Use(folder, other, tree.FilePath, NameAround(node), file, Outermost(type).Name);

    /// <summary>Folders of too many files, and a root of too many beside folders.</summary>
    /// <param name="paths">The files of the assembly.</param>
    /// <param name="folderOf">The folder of a path; <see langword="null"/> for files that count to none.</param>
    public static IEnumerable<string> TooMany(IEnumerable<string> paths, Func<string, string?> folderOf)
    {
        var folders = paths.Select(folderOf).OfType<string>().CountBy(folder => folder).ToArray();
        return from folder in folders
               let most = folder.Key == "." && folders.Length > 1 ? FilesOfTheRoot : FilesOfAFolder
               where folder.Value > most
               select $"{folder.Key}: {folder.Value} files, and {most} are the most";
    }

    // The edges of the fewest files first: these are the ones to remove.
    private static string Group(string[] folders, Use[] uses)
    {
        var edges = from use in uses
                    where folders.Contains(use.From) && folders.Contains(use.To)
                    group use by (use.From, use.To) into edge
                    let pairs = Pairs(edge).ToArray()
                    orderby pairs.Length, edge.Key
                    select $"\n    {edge.Key.From} → {edge.Key.To}:{Listed(pairs)}";
        return $"{folders.Length} folders: {string.Join(", ", folders)}{string.Concat(edges)}";
    }

    private static IEnumerable<string> Pairs(IEnumerable<Use> edge) =>
        from use in edge
        group use by (use.File, use.UsedFile) into pair
        orderby pair.Key
        let types = pair.Select(use => $"{use.Type} → {use.Used}").Distinct().Order(StringComparer.Ordinal)
        select $"{string.Join(", ", types)} ({Path.GetFileName(pair.Key.File)}, {Path.GetFileName(pair.Key.UsedFile)})";

    private static string Listed(string[] pairs) =>
        string.Concat(pairs.Take(PairsListed).Select(pair => $"\n      {pair}")) + (pairs.Length > PairsListed ? $"\n      and {pairs.Length - PairsListed} more" : "");

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
