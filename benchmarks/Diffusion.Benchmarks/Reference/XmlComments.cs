using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Diffusion.Benchmarks;

/// <summary>The summaries of the libraries' XML documentation, as Markdown.</summary>
internal sealed partial class XmlComments
{
    private readonly Dictionary<string, XElement> _summaries;

    private XmlComments(Dictionary<string, XElement> summaries) => _summaries = summaries;

    /// <summary>Reads the XML files beside the program, where the build puts those of the libraries.</summary>
    public static XmlComments Read() => new(Directory.EnumerateFiles(AppContext.BaseDirectory, "Diffusion*.xml").Order(StringComparer.Ordinal)
        .SelectMany(file => XDocument.Load(file).Descendants("member"))
        .Where(member => member.Element("summary") is not null)
        .DistinctBy(member => (string)member.Attribute("name")!)
        .ToDictionary(member => (string)member.Attribute("name")!, member => member.Element("summary")!, StringComparer.Ordinal));

    /// <summary>The summary of a member, one line.</summary>
    /// <param name="member">The member as XML files name it: <c>P:Diffusion.TrainerOptions.Steps</c>.</param>
    /// <param name="reference">The Markdown of a reference to another member, by such a name.</param>
    /// <exception cref="InvalidDataException">The member has no summary.</exception>
    public string Summary(string member, Func<string, string> reference) => _summaries.TryGetValue(member, out var summary)
        ? Space().Replace(Text(summary, reference), " ").Trim().Replace("|", "\\|", StringComparison.Ordinal)
        : throw new InvalidDataException($"{member} has no summary in the XML files of {AppContext.BaseDirectory}.");

    private static string Text(XElement element, Func<string, string> reference) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see when see.Attribute("langword") is { } word => $"`{word.Value}`",
        XElement { Name.LocalName: "see" } see when see.Value.Length > 0 => see.Value,
        XElement { Name.LocalName: "see" } see => reference((string)see.Attribute("cref")!),
        XElement other => Text(other, reference),
        _ => "",
    }));

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
