using System.Text.Json;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The files and tables of the comparison.</summary>
public sealed class ComparisonReportTests
{
    private static readonly Dictionary<string, Measurement> Measured = new(StringComparer.Ordinal)
    {
        ["train_step.fp32"] = Measurement.Of([1, 3, 2], [2, 4, 8]),
        ["gemm_share.train_fp32"] = new Measurement(new Samples([0.5]), null, new Samples([1])),
        ["peak_memory.fp32"] = Measurement.Of([3 << 20], [4 << 20]),
    };

    [Fact]
    public void Json_OfSomeMeasurements_HasEveryKey()
    {
        var json = JsonDocument.Parse(ComparisonReport.Json(Measured, Goals.Course)).RootElement;
        Assert.All(
            new[]
            {
                "train_step.bf16", "reverse_b16.fp32", "reverse_b16.bf16", "reverse_b1.fp32", "reverse_b1.bf16", "optimizer", "peak_memory.bf16", "gemm_share.train_bf16",
            },
            key => Assert.Equal(JsonValueKind.Null, json.GetProperty(key).ValueKind));
        Assert.Equal(0.5, json.GetProperty("train_step.fp32").GetDouble());
        Assert.Equal(0.75, json.GetProperty("peak_memory.fp32").GetDouble());
        Assert.All(new[] { "machine", "versions", "date" }, key => Assert.NotEqual("", json.GetProperty(key).GetString()));
        var detail = json.GetProperty("details").GetProperty("train_step.fp32");
        Assert.Equal(3, detail.GetProperty("samples").GetInt32());
        Assert.Equal(0.25, detail.GetProperty("least").GetDouble());
        Assert.Equal(0.75, detail.GetProperty("most").GetDouble());
        Assert.True(detail.GetProperty("met").GetBoolean());
    }

    [Fact]
    public void Rows_OfSomeMeasurements_SayWhatIsMissing()
    {
        var rows = ComparisonReport.Rows(Measured, Goals.Course).Split('\n');
        Assert.Equal(Goals.Course.Count, rows.Length);
        Assert.Contains($"| train_step.fp32 | train step, batch 64 | {Goals.Course[0].Describe(Processor.Level)} | 0.50 (0.25–0.75) | 3 | 4000 ms | 2000 ms | yes |", rows);
        Assert.Contains($"| train_step.bf16 | train step, batch 64 | {Goals.Course[1].Describe(Processor.Level)} | not available | | | | |", rows);
        Assert.Contains(rows, row => row.StartsWith("| gemm_share.train_fp32", StringComparison.Ordinal) && row.EndsWith("| yes |", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(new[] { 3.0 }, 3)]
    [InlineData(new[] { 4.0, 1.0 }, 2.5)]
    [InlineData(new[] { 9.0, 1.0, 2.0 }, 2)]
    public void Median_OfSamples_IsInTheMiddle(double[] values, double median) => Assert.Equal(median, new Samples(values).Median);

    [Fact]
    public void Seconds_OfTwoActions_RunsThemInTurn()
    {
        var order = new List<int>();
        var seconds = Interleaved.Seconds([() => order.Add(0), () => order.Add(1)], warmUps: 1, least: 2, TimeSpan.Zero);
        Assert.Equal([0, 1, 1, 0, 0, 1], order);
        Assert.All(seconds, times => Assert.Equal(2, times.Count));
    }

    [Fact]
    public void Arguments_UnknownOption_AreRefused()
    {
        var arguments = new Arguments(["--json", "file", "--other"]);
        Assert.Equal("file", arguments.Text("--json"));
        Assert.Throws<FormatException>(arguments.End);
        Assert.Throws<FormatException>(() => new Arguments(["--seconds", "0"]).Number("--seconds", 1));
    }
}
