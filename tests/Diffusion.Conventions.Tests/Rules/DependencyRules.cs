using System.Reflection;
using System.Xml.Linq;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Which library may use what. Dependencies run one way, and only the application chooses libtorch.</summary>
internal static class DependencyRules
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Diffusion.Core"] = ["TorchSharp"],
        ["Diffusion.Kernels"] = ["TorchSharp", "Iced", "Diffusion.Core"],
        ["Diffusion.Models"] = ["TorchSharp", "Diffusion.Core", "Diffusion.Kernels"],
        ["Diffusion.Imaging"] = ["TorchSharp", "Diffusion.Core", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies"],
        ["Diffusion.Imaging.ImageSharp"] = ["Diffusion.Core", "Diffusion.Imaging", "SixLabors.ImageSharp"],
        ["Diffusion.Observers"] = ["TorchSharp", "Diffusion.Core"],
        ["Diffusion.Evaluation"] = ["TorchSharp", "Diffusion.Core"],
        ["Diffusion.Configuration"] = ["TorchSharp", "Diffusion.Core", "Diffusion.Models", "Diffusion.Imaging"],
    };

    // What only checks the code at compile time reaches no user.
    private static readonly string[] Analyzers = ["Microsoft.CodeAnalysis.BannedApiAnalyzers", "Microsoft.CodeAnalysis.PublicApiAnalyzers"];

    /// <summary>What the compiled library refers to.</summary>
    public static IEnumerable<string> BadReferences(Assembly library) =>
        Bad(library.GetName().Name!, library.GetReferencedAssemblies().Select(reference => reference.Name!));

    /// <summary>What the project file asks for, used or not.</summary>
    public static IEnumerable<string> BadReferences(string library, XDocument project) =>
        Bad(library, project.Descendants().Where(e => e.Name.LocalName is "PackageReference" or "ProjectReference")
            .Select(e => e.Attribute("Include")?.Value).OfType<string>()
            .Select(include => include.EndsWith(".csproj", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(include) : include));

    public static IEnumerable<string> Bad(string library, IEnumerable<string> references) =>
        from reference in references
        where !reference.StartsWith("System", StringComparison.Ordinal) && !reference.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
        where !Allowed[library].Contains(reference) && !Analyzers.Contains(reference)
        select $"{library} refers to {reference}";
}
