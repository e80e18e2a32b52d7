using System.Text.Json;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The reference of the configuration file against the library.</summary>
public sealed class ConfigurationReferenceTests
{
    private static readonly string Repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
    private static readonly string Page = ConfigurationReference.Text();

    [Fact]
    public void Page_OfTheRepository_IsCurrent() => Assert.True(
        File.ReadAllText(Path.Combine(Repository, ConfigurationCommand.Page)).ReplaceLineEndings("\n") == Page,
        $"docs/configuration.md is not what the options say: dotnet run -c Release --project benchmarks/Diffusion.Benchmarks -- {ConfigurationCommand.Verb}");

    [Theory]
    [InlineData("data", "| `path` | text | needed |")]
    [InlineData("data", "| `channels` | whole number, 1 (grey) or 3 (RGB) | `1` |")]
    [InlineData("data", "| `codec` | `skia`, `imageSharp` | `null` |")]
    [InlineData("data", "| `classNames` | list: text | `null` |")]
    [InlineData("model", "| `down` | list of objects: [below](#modeldown) | needed |")]
    [InlineData("model.down[]", "| `channels` | whole number | needed |")]
    [InlineData("model.mid[]", "| `attention` | `true`, `false` | `true` |")]
    [InlineData("model.dialect", "| `context` | only `null`")]
    [InlineData("model.dialect.labels", "| `classes` | whole number, at least 1 | `10` |")]
    [InlineData("diffusion", "| `betaStart` | number, in (0, 1) | `null` |")]
    [InlineData("objective", "| `weighting` | `uniform`, `snr`, `min-snr`, `soft-min-snr`, `p2`, `edm` | `\"uniform\"` |")]
    [InlineData("training", "| `learningRate` | number, in [1E-12, 10] | `0.0001` |")]
    [InlineData("training", "| `precision` | `float32`, `bFloat16` | `\"float32\"` | What the network computes in;")]
    [InlineData("training.ema", "| `others` | list of objects as [`training.ema`](#trainingema) | `[]` |")]
    [InlineData("training.loader", "| `prefetch` | whole number, in [0, 1024] | `2` |")]
    [InlineData("watch", "| `report` | `true`, `false` | `true` |")]
    public void Text_OfAKey_HasItsValuesAndDefault(string section, string row)
    {
        var start = Page.IndexOf($"\n## {section}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, section);
        Assert.Contains("\n" + row, Page[start..Page.IndexOf("\n## ", start + 1, StringComparison.Ordinal)], StringComparison.Ordinal);
    }

    [Fact]
    public void Text_OfNames_HasAllThatTheLibraryKnows()
    {
        Assert.All(NoiseSchedule.Names.Concat(Sampler.Names).Concat(StepSpacing.All.Select(spacing => spacing.Name)).Concat(Parameterization.All.Select(each => each.Name)), name => Assert.Contains($"`{name}`", Page, StringComparison.Ordinal));
        Assert.DoesNotContain("Diffusion.", Page.Replace("Diffusion.Benchmarks", "", StringComparison.Ordinal).Replace("Diffusion.Imaging.ImageSharp", "", StringComparison.Ordinal), StringComparison.Ordinal); // names of types
    }

    [Fact]
    public void Text_EveryKeyOfTheSamples_IsThere()
    {
        var files = Directory.GetFiles(Path.Combine(Repository, "samples", "configs"), "*.json");
        Assert.NotEmpty(files);
        Assert.All(files.SelectMany(Keys).Distinct(), key => Assert.Contains($"\n| `{key}` |", Page, StringComparison.OrdinalIgnoreCase));
    }

    private static IEnumerable<string> Keys(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        return [.. Keys(document.RootElement)];
    }

    private static IEnumerable<string> Keys(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Keys(property.Value).Prepend(property.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Keys),
        _ => [],
    };
}
