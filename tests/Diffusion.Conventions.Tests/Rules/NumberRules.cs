using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Numbers that libtorch reads are kept by somebody until it has read them.</summary>
internal static class NumberRules
{
    /// <summary>The operations whose numbers nobody keeps, as in documentation files.</summary>
    public static IReadOnlySet<string> Banned { get; } = File.ReadLines(Path.Combine(Repository.Root, "eng", "BannedSymbols.Numbers.txt"))
        .Where(line => line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal)).Select(line => line.Split(';')[0]).ToHashSet(StringComparer.Ordinal);

    /// <summary>What a built library uses of them, written in whatever way.</summary>
    public static IEnumerable<string> Uses(Assembly library)
    {
        using var file = new PEReader(File.OpenRead(library.Location));
        var metadata = file.GetMetadataReader();
        return [.. metadata.MemberReferences
            .Where(handle => metadata.GetMemberReference(handle).Parent.Kind == HandleKind.TypeReference)
            .Select(handle => library.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle))).OfType<MethodBase>()
            .Where(method => Banned.Contains(Id(method)) || Banned.Contains("T:" + Name(method.DeclaringType!)))
            .Select(method => $"{library.GetName().Name} uses {Id(method)}")];
    }

    /// <summary>Banned operations that are not there.</summary>
    public static IEnumerable<string> Unknown(Assembly torchSharp) => Banned
        .Except(torchSharp.GetExportedTypes().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)).Select(Id))
        .Except(torchSharp.GetExportedTypes().Select(type => "T:" + Name(type)));

    /// <summary>Numbers made by <c>ToScalar</c> that are neither a variable with <c>using</c> nor a constant of a class.</summary>
    public static IEnumerable<string> Unkept(IEnumerable<SourceFile> files) =>
        from file in files
        from call in file.All<InvocationExpressionSyntax>()
        where call.Expression is MemberAccessExpressionSyntax { Name.Identifier.Text: "ToScalar" or "ToBFloat16Scalar" }
        where !IsKept(call.Parent is ConditionalExpressionSyntax either ? either.Parent : call.Parent)
        select file.At(call.GetLocation(), call.ToString());

    private static bool IsKept(SyntaxNode? holder) => holder is EqualsValueClauseSyntax && holder.Parent switch
    {
        PropertyDeclarationSyntax property => property.Modifiers.Any(modifier => modifier.Text == "static"),
        VariableDeclaratorSyntax { Parent.Parent: LocalDeclarationStatementSyntax local } => local.UsingKeyword.Text == "using",
        VariableDeclaratorSyntax { Parent.Parent: FieldDeclarationSyntax field } => field.Modifiers.Any(modifier => modifier.Text == "static"),
        _ => false,
    };

    private static string Id(MethodBase method)
    {
        var parameters = method.GetParameters();
        var list = parameters.Length == 0 ? string.Empty : $"({string.Join(",", parameters.Select(parameter => Name(parameter.ParameterType)))})";
        var result = method is MethodInfo { Name: "op_Implicit" or "op_Explicit" } conversion ? "~" + Name(conversion.ReturnType) : string.Empty;
        return $"M:{Name(method.DeclaringType!)}.{method.Name}{list}{result}";
    }

    private static string Name(Type type) => type switch
    {
        { IsArray: true } => Name(type.GetElementType()!) + "[]",
        { IsConstructedGenericType: true } => $"{Name(type.GetGenericTypeDefinition()).Split('`')[0]}{{{string.Join(",", type.GetGenericArguments().Select(Name))}}}",
        _ => (type.FullName ?? type.Name).Replace('+', '.'),
    };
}
