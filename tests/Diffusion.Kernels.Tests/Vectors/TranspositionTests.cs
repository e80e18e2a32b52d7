using Xunit;

namespace Diffusion.Kernels.Tests;

public sealed unsafe class TranspositionTests
{
    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(Levels.WithTiles, (1, 1), (16, 16), (17, 15), (33, 50), (64, 49));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Copy_RowsOfAnyLength_TurnsThemIntoColumns(int rows, int columns, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (fromStep, toStep) = (columns + 3, rows + 5);
        var (from, to) = (new float[rows * fromStep], new float[columns * toStep]);
        for (var i = 0; i < from.Length; i++)
        {
            from[i] = i + 1;
        }

        fixed (float* source = from, target = to)
        {
            if (level == ProcessorLevel.Avx2)
            {
                Transposition<Float32x8>.Copy(source, fromStep, rows, columns, target, toStep);
            }
            else
            {
                Transposition<Float32x16>.Copy(source, fromStep, rows, columns, target, toStep);
            }
        }

        Check(i => from[i], to, rows, columns, fromStep, toStep);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Copy_Bytes_TurnsThemIntoColumnsOfNumbers(int rows, int columns, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (fromStep, toStep) = (columns + 3, rows + 5);
        var (from, to) = (new byte[rows * fromStep], new float[columns * toStep]);
        for (var i = 0; i < from.Length; i++)
        {
            from[i] = (byte)(i * 7);
        }

        fixed (byte* source = from)
        {
            fixed (float* target = to)
            {
                if (level == ProcessorLevel.Avx2)
                {
                    Transposition<Float32x8>.Copy(source, fromStep, rows, columns, target, toStep);
                }
                else
                {
                    Transposition<Float32x16>.Copy(source, fromStep, rows, columns, target, toStep);
                }
            }
        }

        Check(i => from[i], to, rows, columns, fromStep, toStep);
    }

    private static void Check(Func<int, float> from, float[] to, int rows, int columns, int fromStep, int toStep)
    {
        for (var j = 0; j < columns; j++)
        {
            for (var i = 0; i < toStep; i++)
            {
                Assert.Equal(i < rows ? from((i * fromStep) + j) : 0, to[(j * toStep) + i]); // what is between columns stays
            }
        }
    }
}
