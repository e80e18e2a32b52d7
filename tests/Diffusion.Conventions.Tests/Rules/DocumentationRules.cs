using System.Reflection;
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

    /// <summary>References of public documentation to what its readers cannot see: internal types, and internal members of public ones.</summary>
    /// <param name="library">The library that is documented.</param>
    /// <param name="documentation">The XML file that the compiler wrote.</param>
    /// <param name="libraries">What references may lead to; others are not looked at.</param>
    public static IEnumerable<string> HiddenReferences(Assembly library, XDocument documentation, IReadOnlyCollection<Assembly> libraries)
    {
        var own = Visibility([library]);
        var all = Visibility(libraries);
        return from member in documentation.Descendants("member")
               let name = member.Attribute("name")!.Value
               where IsVisible(name, own) == true
               from reference in member.Descendants().Attributes("cref").Select(attribute => attribute.Value).Distinct()
               where IsVisible(reference, all) == false
               select $"{name} refers to {reference}";
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

    /// <summary>The types of assemblies as documentation names them, each with the names of the members that its users see; without any where it is internal.</summary>
    private static Dictionary<string, HashSet<string>?> Visibility(IEnumerable<Assembly> libraries) =>
        libraries.SelectMany(library => library.GetTypes()).Where(type => type.FullName!.StartsWith("Diffusion", StringComparison.Ordinal)).ToDictionary(type => type.FullName!.Replace('+', '.'), type => type.IsVisible ? Members(type) : null);

    private static HashSet<string> Members(Type type) =>
    [
        .. type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)
            .Where(member => member switch
            {
                MethodBase method => IsSeen(method),
                PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsSeen),
                FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
                EventInfo each => IsSeen(each.AddMethod!),
                Type nested => nested.IsVisible,
                _ => true,
            })
            .Select(member => member.Name.Replace('.', '#')),
    ];

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    /// <summary>Whether users see what "T:Name", "M:Name.Member(…)" and the like stand for; <see langword="null"/> for what is of another assembly.</summary>
    private static bool? IsVisible(string reference, Dictionary<string, HashSet<string>?> types)
    {
        var name = reference[2..].Split('(')[0];
        if (reference[0] == 'T')
        {
            return types.TryGetValue(name, out var itself) ? itself is not null : null;
        }

        var member = name.LastIndexOf('.');
        return member > 0 && types.TryGetValue(name[..member], out var members) ? members?.Contains(name[(member + 1)..].Split("``")[0]) == true : null;
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
