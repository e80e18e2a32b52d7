namespace Diffusion.Models.Tests;

public sealed class UNetSummaryTests
{
    public static TheoryData<string> Cases => [.. Golden.Cases("diffusers_unet2d")];

    public static TheoryData<UNetOptions> Conditional
    {
        get
        {
            var small = UNetBuilder.ForImages(3, 8).Down(8, layers: 1, attention: true, heads: 2).Down(16).Mid(16, heads: 4);
            return
            [
                small.WithContext(new() { Channels = 6 }).Options,
                small.WithContext(new() { Channels = 6, Layers = 3, LinearProjection = true }).WithLabels(new()).Options,
                small.WithContext(new()).With(options => options with { Dialect = options.Dialect with { Attention = new() { HeadWidth = 3 }, Skips = SkipConnections.Layer } }).Options,
            ];
        }
    }

    [Theory]
    [MemberData(nameof(Conditional))]
    public void Of_NetworksWithAContext_CountsWhatIsBuilt(UNetOptions options)
    {
        using var unet = UNetBuilder.From(options).Build();
        var summary = UNetSummary.Of(options);
        Assert.Equal(unet.ParameterCount, summary.Parameters);
        var attended = UNetSummary.Of(options with { Dialect = options.Dialect with { Context = null } });
        Assert.True(summary.MultiplyAdds > attended.MultiplyAdds);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Of_RecordedNetworks_CountsWhatIsBuilt(string name)
    {
        using var golden = Golden.Case(name);
        var options = DiffusersUNet.Parse(File.ReadAllText(golden.File("model/config.json"))).Options;
        using var unet = UNetBuilder.From(options).Build();
        var summary = UNetSummary.Of(options);
        Assert.Equal(unet.ParameterCount, summary.Parameters);
        foreach (var row in summary.Rows.Where(row => row.Block != "conv_out"))
        {
            // state_dict has the frequencies of Fourier waves too, which are not trained.
            var built = unet.state_dict().Where(entry => entry.Key.StartsWith(row.Block + ".", StringComparison.Ordinal)).Sum(entry => entry.Value.numel());
            Assert.Equal(built, row.Parameters);
        }
    }

    [Fact]
    public void Of_OddSizes_ShowsEveryShape()
    {
        var options = UNetBuilder.ForImages(new ImageShape(3, 30, 45)).Down(8, layers: 1).Down(16, layers: 1).Down(16, layers: 1).Mid(16).Options;
        var shapes = UNetSummary.Of(options).Rows.ToDictionary(row => row.Block, row => row.Output.ToString());
        Assert.Equal("8×15×23", shapes["down.0"]);
        Assert.Equal("16×8×12", shapes["mid.0"]);
        Assert.Equal("8×15×23", shapes["up.1"]);
        Assert.Equal("3×30×45", shapes["conv_out"]);
    }

    [Fact]
    public void Of_OneConvolution_CountsItsMultiplyAdds()
    {
        var rows = UNetSummary.Of(UNetBuilder.ForImages(1, 28).Down(8).Options).Rows;
        Assert.Equal(8 * 9 * 28 * 28, rows[0].MultiplyAdds);
        Assert.Equal((8 * 9) + 8, rows[0].Parameters);
    }

    [Fact]
    public void ToString_Network_IsATableWithTheSum()
    {
        using var unet = UNetBuilder.ForImages(1, 8).Down(8, layers: 1).Build();
        var lines = unet.ToString().TrimEnd('\n').Split('\n');
        Assert.StartsWith("block", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("down.0    8×8×8", lines[3], StringComparison.Ordinal);
        Assert.Contains(unet.ParameterCount.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), lines[^1], StringComparison.Ordinal);
        Assert.Single(lines.Select(line => line.Length).Distinct());
    }
}
