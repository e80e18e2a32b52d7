using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Which project compiles which file: what lies below it, without what it removes, and what it includes from elsewhere.</summary>
internal static class CompiledFiles
{
    /// <summary>Files that several projects compile: a type would be two types, which no test of one proves anything about.</summary>
    /// <param name="projects">Paths of projects, in the repository, and their contents.</param>
    /// <param name="files">The C# files of the repository.</param>
    public static IEnumerable<string> InSeveral(IEnumerable<(string Path, XDocument Project)> projects, IReadOnlyList<string> files) =>
        from entry in projects
        from file in Of(entry.Path, entry.Project, files)
        group entry.Path by file into users
        where users.Count() > 1
        select $"{users.Key}: {string.Join(", ", users.Order(StringComparer.Ordinal))}";

    private static IEnumerable<string> Of(string path, XDocument project, IReadOnlyList<string> files)
    {
        var folder = Path.GetDirectoryName(path)!.Replace('\\', '/');
        var (included, removed) = (Patterns("Include"), Patterns("Remove"));
        return files.Where(file => (file.StartsWith(folder + "/", StringComparison.Ordinal) && !removed.Exists(pattern => pattern.IsMatch(file))) || included.Exists(pattern => pattern.IsMatch(file)));

        List<Regex> Patterns(string attribute) =>
        [
            .. from element in project.Descendants()
               where element.Name.LocalName == "Compile"
               from pattern in (element.Attribute(attribute)?.Value ?? string.Empty).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
               select Expression(Whole(folder, pattern.Replace("$(MSBuildThisFileDirectory)", string.Empty, StringComparison.Ordinal).Replace('\\', '/'))),
        ];
    }

    private static Regex Expression(string pattern) =>
        new("^" + Regex.Escape(pattern).Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal).Replace(@"\*\*", ".*", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal) + "$", RegexOptions.CultureInvariant);

    /// <summary>"a/b" and "../c" make "a/c".</summary>
    private static string Whole(string folder, string pattern)
    {
        var parts = new List<string>(folder.Split('/', StringSplitOptions.RemoveEmptyEntries));
        foreach (var part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }
}
