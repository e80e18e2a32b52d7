using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Rules about documentation comments.</summary>
internal static partial class DocumentationRules
{
    /// <summary>Public types without a summary in the XML file that the compiler wrote.</summary>
    public static IEnumerable<string> WithoutSummary(IEnumerable<Type> types, XDocument documentation)
    {
        var documented = documentation.Descendants("member")
            .Where(member => !string.IsNullOrWhiteSpace(member.Element("summary")?.Value) || member.Element("inheritdoc") is not null)
            .Select(member => member.Attribute("name")!.Value).ToHashSet();
        return types.Where(type => !documented.Contains("T:" + type.FullName!.Replace('+', '.'))).Select(type => type.FullName!);
    }

    /// <summary>
    /// Numerics that cite no source: among the files given, the concrete types that derive from or implement a type of the same files
    /// (a schedule, a sampler), and the type Parameterization.
    /// </summary>
    public static IEnumerable<string> WithoutSource(IReadOnlyCollection<SourceFile> files)
    {
        var contracts = (from file in files
                         from type in file.All<TypeDeclarationSyntax>()
                         where type is InterfaceDeclarationSyntax || type.Modifiers.Any(m => m.Text == "abstract")
                         select type.Identifier.Text).ToHashSet();
        return from file in files
               from type in file.All<TypeDeclarationSyntax>()
               let concrete = type is not InterfaceDeclarationSyntax && !type.Modifiers.Any(m => m.Text is "abstract" or "private")
               where type.Identifier.Text == "Parameterization" || (concrete && type.BaseList?.Types.Any(t => contracts.Contains(NameOf(t.Type))) == true)
               where !Source().IsMatch(string.Concat(type.GetLeadingTrivia().Where(t => t.HasStructure).Select(t => t.ToFullString())))
               select file.At(type.Identifier.GetLocation(), $"{type.Identifier.Text} cites no source (arXiv:...) in <remarks>");
    }

    private static string NameOf(TypeSyntax type) => type switch
    {
        QualifiedNameSyntax qualified => qualified.Right.Identifier.Text,
        SimpleNameSyntax simple => simple.Identifier.Text,
        _ => string.Empty,
    };

    [GeneratedRegex(@"<remarks>(?:(?!</remarks>)[\s\S])*arXiv:\d{4}\.\d{4,5}")]
    private static partial Regex Source();
}
