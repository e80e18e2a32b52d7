namespace Diffusion.Kernels.Tests;

public sealed unsafe class TileScratchTests
{
    [Fact]
    public void Take_MoreThanWasRented_SaysHowMuchThereIs()
    {
        using var scratch = TileScratch.Rent(100);
        scratch.Take(50);

        var error = Assert.Throws<InvalidOperationException>(() => scratch.Take(49)).Message;

        Assert.Equal("Scratch memory of 112 floats has 48 left; 49 were asked for.", error);
        scratch.Take(48);
        Assert.Throws<InvalidOperationException>(() => scratch.Take(-1));
        scratch.Reset();
        scratch.Take(112);
    }

    [Theory]
    [InlineData(32)]
    [InlineData(-1)]
    public void Reset_SomethingWasWrittenBesideAPiece_IsAnError(int at)
    {
        Assert.True(TileScratch.IsGuarded); // in all tests of this project
        using var scratch = TileScratch.Rent(64);
        var piece = scratch.Take(20);
        scratch.Take(20);
        piece[at] = 1;

        Assert.Contains(at < 0 ? "behind piece 0" : "behind piece 1", Assert.Throws<InvalidOperationException>(scratch.Reset).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rent_Less_IsCheckedAgainstWhatWasAsked()
    {
        TileScratch.Rent(1 << 16).Dispose();
        using var scratch = TileScratch.Rent(16);

        Assert.Throws<InvalidOperationException>(() => scratch.Take(17));
    }

    [Fact]
    public void Rent_Less_LeavesTheLargestForWhoNeedsIt()
    {
        nint large;
        using (var first = TileScratch.Rent(1 << 23))
        using (TileScratch.Rent(16))
        {
            large = (nint)first.Take(16);
        }

        using var less = TileScratch.Rent(16);
        using var again = TileScratch.Rent(1 << 23);

        Assert.Equal(large, (nint)again.Take(16));
        Assert.NotEqual(large, (nint)less.Take(16));
    }
}
