using Xunit;

namespace Diffusion.Models.Tests;

public sealed unsafe class TranspositionTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    [InlineData(17, 15)]
    [InlineData(33, 50)]
    [InlineData(64, 49)]
    public void Copy_RowsOfAnyLength_TurnsThemIntoColumns(int rows, int columns)
    {
        if (!AttentionTile.IsSupported)
        {
            Assert.Skip("no instructions for tiles here");
        }

        var (fromStep, toStep) = (columns + 3, rows + 5);
        var (from, to) = (new float[rows * fromStep], new float[columns * toStep]);
        for (var i = 0; i < from.Length; i++)
        {
            from[i] = i + 1;
        }

        fixed (float* source = from, target = to)
        {
            Transposition.Copy(source, fromStep, rows, columns, target, toStep);
        }

        for (var j = 0; j < columns; j++)
        {
            for (var i = 0; i < toStep; i++)
            {
                Assert.Equal(i < rows ? from[(i * fromStep) + j] : 0, to[(j * toStep) + i]); // what is between columns stays
            }
        }
    }
}
