using System.Text.Json;

namespace Diffusion.Evaluation.Tests;

public sealed class EvaluationReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_AReport_IsJsonToTheLastDigit()
    {
        var path = Path.Combine(_folder.Path, "metrics.json");
        Report(1.0 / 3).Write(path);
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        var root = json.RootElement;
        Assert.Equal(["format", "images", "count", "features", "figures", "classes", "remarks", "settings"], root.EnumerateObject().Select(property => property.Name));
        var figure = root.GetProperty("figures")[0];
        Assert.Equal(["name", "value", "standardError", "bias", "images", "referenceImages", "reference", "features", "remark"], figure.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("frechetDistance", 1.0 / 3, 100, JsonValueKind.Null), (figure.GetProperty("name").GetString(), figure.GetProperty("value").GetDouble(), figure.GetProperty("images").GetInt32(), figure.GetProperty("standardError").ValueKind));
        var settings = root.GetProperty("settings");
        Assert.Equal(("ddim", 20, 1.5, true, JsonValueKind.Null), (settings.GetProperty("sampler").GetString(), settings.GetProperty("steps").GetInt32(), settings.GetProperty("guidance").GetDouble(), settings.GetProperty("clip").GetBoolean(), settings.GetProperty("spacing").ValueKind));
        Assert.Equal("0 ä", root.GetProperty("classes")[0].GetProperty("name").GetString());
        Assert.Equal(Report(1.0 / 3).ToJson(), Report(1.0 / 3).ToJson());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ToJson_NotFinite_IsRefused(double value) => Assert.Contains("frechetDistance", Assert.Throws<InvalidOperationException>(() => Report(value).ToJson()).Message, StringComparison.Ordinal);

    [Fact]
    public void ToJson_SettingOfAnotherType_IsRefused() =>
        Assert.Contains("'when'", Assert.Throws<InvalidOperationException>(() => (Report(1) with { Settings = new Dictionary<string, object?> { ["when"] = DateTime.UnixEpoch } }).ToJson()).Message, StringComparison.Ordinal);

    [Fact]
    public void ToString_EveryFigure_SaysOfHowManyImages()
    {
        var lines = Report(12.345678).ToString().Split('\n');
        Assert.Contains("| frechetDistance | 12.3457 |  | 0.5 | 100 | 10000 of test images, unlike numbers |", lines);
        Assert.Contains("| labelAccuracy | 0.97 | 0.0171 |  | 100 |  |", lines);
        Assert.Contains("| likelihoodBound | 1.5 |  |  | 7 | an unknown number of others |", lines);
        Assert.Contains("frechetDistance: singular", lines);
        Assert.Contains("a remark", lines);
        Assert.Contains("Classes as they are seen: 0 ä 60, 1 40", lines);
        Assert.Equal("frechetDistance 12.3457 (bias 0.5), 100 images against 10000 of test images", Report(12.345678).Figures[0].ToString());
    }

    private static EvaluationReport Report(double value) => new()
    {
        Images = "images",
        Count = 100,
        Features = "features-1",
        Figures =
        [
            new("frechetDistance", value, 100) { Bias = 0.5, ReferenceImages = 10_000, Reference = "test images", Features = "features-1", Remark = "singular" },
            new("labelAccuracy", 0.97, 100) { StandardError = 0.01706 },
            new("likelihoodBound", 1.5, 7) { Reference = "others" },
        ],
        Classes = [("0 ä", 60), ("1", 40)],
        Remarks = ["a remark"],
        Settings = new Dictionary<string, object?> { ["sampler"] = "ddim", ["steps"] = 20, ["guidance"] = 1.5, ["clip"] = true, ["spacing"] = null },
    };
}
