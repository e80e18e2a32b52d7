using System.Xml;
using System.Xml.Linq;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Rules about MSBuild files.</summary>
internal static class ProjectFileRules
{
    /// <summary>Warnings that are turned off without the reason: the comment right above NoWarn names each of them.</summary>
    public static IEnumerable<string> UnexplainedNoWarn(string path, XDocument project) =>
        from element in project.Descendants()
        where element.Name.LocalName is "NoWarn" or "WarningsNotAsErrors" or "MSBuildWarningsAsMessages"
        let reason = (element.NodesBeforeSelf().LastOrDefault(node => node.NodeType != XmlNodeType.Text) as XComment)?.Value ?? string.Empty
        from code in element.Value.Split(';', ',').Select(code => code.Trim())
        where code.Length > 0 && !code.StartsWith("$(", StringComparison.Ordinal) && !reason.Contains(code, StringComparison.Ordinal)
        select $"{path}: {code} in {element.Name.LocalName} has no reason in a comment above it";
}
