using Diffusion.Conventions.Tests.Rules;

namespace Diffusion.Conventions.Tests.Examples;

/// <summary>Shows of the rule about links that it finds those that lead nowhere and leaves the others alone.</summary>
public sealed class LinkExamples
{
    private const string Other = "# The other\n## What it costs, in `bytes`?\n## Twice\n## Twice\n## σ and ᾱ\n## [Linked](other.md) words\n```\n## No heading\n```\n<a id=\"given\"></a>\n";

    [Theory]
    [InlineData("[a](docs/other.md)", 0)]
    [InlineData("[a](docs/other.md#what-it-costs-in-bytes)", 0)]
    [InlineData("[a](docs/other.md#twice) [b](docs/other.md#twice-1) [c](docs/other.md#given) [d](docs/other.md#linked-words)", 0)]
    [InlineData("[a](docs/other.md#σ-and-ᾱ) [b](docs/other.md#%CF%83-and-%E1%BE%B1)", 0)]
    [InlineData("# A heading\n[a](#a-heading)", 0)]
    [InlineData("[a](docs) [b](docs/) ![c](docs/a%20b.png \"title\") [d](<docs/a b.png>)", 0)]
    [InlineData("[a](https://example.org/x#y) <https://example.org> [b](mailto:a@example.org)", 0)]
    [InlineData("`[a](nowhere.md)` ``[a](`nowhere.md)``\n```\n[a](nowhere.md)\n```\n~~~~\n[a](nowhere.md)\n~~~\n[a](nowhere.md)\n~~~~", 0)]
    [InlineData("[a](nowhere.md)", 1)]
    [InlineData("![a](docs/nowhere.png) [![b](docs/nowhere.png)](docs/other.md)", 2)]
    [InlineData("[a](docs/Other.md)", 1)]
    [InlineData("[a](docs/other.md#no-heading) [b](docs/other.md#twice-2) [c](docs/other.md#Twice)", 3)]
    [InlineData("[a](#nothing)", 1)]
    [InlineData("[a](docs/a%20b.png#part)", 1)]
    [InlineData("[a](../elsewhere.md) [b](/docs/other.md)", 2)]
    [InlineData("[a]: nowhere.md\n<img alt=\"a\" src=\"nowhere.png\">", 2)]
    [InlineData("```\n[a](nowhere.md)\n```\n[a](nowhere.md)", 1)]
    public void Broken_LinksThatLeadNowhere_AreFound(string text, int found)
    {
        var there = new HashSet<string>(StringComparer.Ordinal) { "README.md", "docs", "docs/other.md", "docs/a b.png" };
        Assert.Equal(found, LinkRules.Broken([("README.md", text), ("docs/other.md", Other)], there.Contains).Count());
    }

    [Fact]
    public void Broken_LinkFromAFolder_StartsThere()
    {
        (string, string)[] documents = [("docs/a.md", "[a](b.md) [b](../README.md#top) [c](docs/b.md) [d](../b.md)"), ("docs/b.md", ""), ("README.md", "# Top")];
        Assert.Equal(["docs/a.md(1): ../b.md", "docs/a.md(1): docs/b.md"], LinkRules.Broken(documents, path => documents.Any(document => document.Item1 == path)).Order(StringComparer.Ordinal).Select(each => each[..each.LastIndexOf(": ", StringComparison.Ordinal)]));
    }
}
