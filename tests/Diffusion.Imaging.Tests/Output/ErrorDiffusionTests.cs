namespace Diffusion.Imaging.Tests;

public sealed class ErrorDiffusionTests
{
    [Theory]
    [InlineData(97)]
    [InlineData(100)]
    [InlineData(103)]
    public void Apply_BetweenTwoColours_MixesThemToTheMean(byte value)
    {
        byte[] levels = [96, 104];
        var indices = new ErrorDiffusion([.. levels.Select(level => new Rgb(level, level, level))]).Apply(TestImages.Constant(32, 32, 3, value));
        Assert.InRange(indices.Average(index => (double)levels[index]) - value, -0.5, 0.5);
    }

    [Fact]
    public void Apply_ColourOutsideThePalette_LeavesNoTraceBesideIt()
    {
        var image = TestImages.From(64, 8, 3, (x, _, _) => x < 32 ? (byte)200 : (byte)20);
        var indices = new ErrorDiffusion([new Rgb(0, 0, 0), new Rgb(100, 100, 100)]).Apply(image);
        Assert.Equal(Enumerable.Range(0, indices.Length).Select(i => (byte)(i % 64 < 32 ? 1 : 0)), indices);
    }
}
