using System.Runtime.InteropServices;
using Xunit;

namespace Diffusion.Kernels.Tests;

public sealed unsafe class TileProductTests
{
    public static TheoryData<bool, int, int, bool, bool, ProcessorLevel> Shapes()
    {
        var shapes = new TheoryData<bool, int, int, bool, bool, ProcessorLevel>();
        foreach (var narrow in new[] { false, true })
        {
            foreach (var (rows, lanes) in new[] { (8, 4), (8, 8), (8, 16), (16, 16), (8, 32), (4, 32), (4, 48), (4, 64) })
            {
                foreach (var level in narrow ? Levels.WithNarrowTiles : Levels.WithTiles)
                {
                    shapes.Add(narrow, rows, lanes, false, false, level);
                    shapes.Add(narrow, rows, lanes, true, true, level);
                }

                shapes.Add(narrow, rows, lanes, true, true, ProcessorLevel.Plain);
            }
        }

        return shapes;
    }

    public static TheoryDataRow[] Apart { get; } = Levels.Rows([.. Levels.WithTiles, ProcessorLevel.Plain], (8, 16), (8, 32), (4, 64), (16, 16));

    /// <summary>Small integers are exact in bfloat16 and their sums in float32: the results have to be equal.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void Run_SmallIntegers_GivesTheProduct(bool narrow, int rows, int lanes, bool adds, bool transposed, ProcessorLevel level)
    {
        using var used = Using(level);

        const int blocks = 3, depth = 5;
        var perWord = narrow ? 2 : 1;
        var (count, values) = (blocks * rows, depth * perWord);
        var (rowStep, depthStep) = transposed ? (1, count) : (depth, 1);
        var random = new Random(5);
        var a = Enumerable.Range(0, count * values).Select(_ => (float)random.Next(-9, 10)).ToArray();
        var b = Enumerable.Range(0, values * lanes).Select(_ => (float)random.Next(-9, 10)).ToArray();
        var before = Enumerable.Range(0, count * lanes).Select(i => (float)i).ToArray();
        var shape = new TileShape(rows, lanes, rowStep, depthStep, adds ? TileStart.Sums : TileStart.Zero);
        var product = Product(shape, narrow, level);
        using var memory = TileScratch.Rent(4096 * 4);
        uint* left = memory.TakeWords(count * depth), right = memory.TakeWords(depth * lanes);
        var sums = memory.Take(count * lanes);
        for (var m = 0; m < count; m++)
        {
            for (var k = 0; k < depth; k++)
            {
                left[(m * rowStep) + (k * depthStep)] = Word(i => a[(m * values) + (k * perWord) + i], narrow);
            }
        }

        for (var k = 0; k < depth; k++)
        {
            for (var n = 0; n < lanes; n++)
            {
                right[(k * lanes) + n] = Word(i => b[(((k * perWord) + i) * lanes) + n], narrow);
            }
        }

        before.CopyTo(new Span<float>(sums, before.Length));
        product.Run(left, right, sums, count, depth);

        for (var m = 0; m < count; m++)
        {
            for (var n = 0; n < lanes; n++)
            {
                var expected = adds ? before[(m * lanes) + n] : 0;
                for (var k = 0; k < values; k++)
                {
                    expected += a[(m * values) + k] * b[(k * lanes) + n];
                }

                Assert.Equal(expected, sums[(m * lanes) + n]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Apart))]
    public void Run_RowsApartAndABias_AddsTheBiasAndLeavesWhatIsBetween(int rows, int lanes, ProcessorLevel level)
    {
        using var used = Using(level);

        const int blocks = 2, depth = 3;
        var (columnStep, sumStep) = (lanes + 16, lanes + 48);
        var shape = new TileShape(rows, lanes, depth, 1, TileStart.Bias) { ColumnStep = columnStep, SumStep = sumStep };
        var product = Product(shape, narrow: false, level);
        using var memory = TileScratch.Rent(4096 * 4);
        float* left = memory.Take(blocks * rows * depth), right = memory.Take(depth * columnStep), bias = memory.Take(lanes), sums = memory.Take(blocks * rows * sumStep);
        new Span<float>(sums, blocks * rows * sumStep).Fill(-1);
        Fill(left, blocks * rows * depth);
        Fill(right, depth * columnStep);
        Fill(bias, lanes);

        product.Run(left, right, sums, blocks * rows, depth, bias);

        for (var m = 0; m < blocks * rows; m++)
        {
            for (var n = 0; n < sumStep; n++)
            {
                var expected = n < lanes ? bias[n] + Enumerable.Range(0, depth).Sum(k => left[(m * depth) + k] * right[(k * columnStep) + n]) : -1;
                Assert.Equal(expected, sums[(m * sumStep) + n]);
            }
        }
    }

    [Fact]
    public void For_ManyWidths_MakesNoCode()
    {
        using var used = Levels.UseTiles(ProcessorLevel.Avx2);
        var values = stackalloc float[8 * 32];
        TileProduct Of(int width) => Product(new TileShape(8, 32, width, 1, TileStart.Sums) { ColumnStep = width, SumStep = 32 }, narrow: false, ProcessorLevel.Avx2);
        Of(1).Run(values, values, values, 8, 1);
        var before = Environment.WorkingSet;

        for (var width = 1; width <= 20_000; width++)
        {
            _ = Of(width);
        }

        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 16 << 20);
    }

    [Fact]
    public void For_TooManySums_IsRefused() => Assert.Throws<ArgumentException>(() => TileProduct.For(new TileShape(16, 32, 1, 1, TileStart.Zero), narrow: false, code: null));

    [Fact]
    public void Place_Code_RunsIt()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !(OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
        {
            Assert.Skip("machine code is placed on x64 with Linux or Windows only");
        }

        var place = ExecutableMemory.Place([0xB8, 42, 0, 0, 0, 0xC3]); // mov eax, 42; ret

        Assert.NotEqual(0, place);
        Assert.Equal(42, ((delegate* unmanaged<int>)place)());
    }

    /// <summary>At the plain level products are C#, as where the system does not let programs write code.</summary>
    private static IDisposable Using(ProcessorLevel level) => level == ProcessorLevel.Plain ? Levels.Use(level) : Levels.UseTiles(level);

    private static TileProduct Product(TileShape shape, bool narrow, ProcessorLevel level) => TileProduct.For(
        shape, narrow, level == ProcessorLevel.Plain ? null : TileCode.For(narrow ? ProcessorLevel.Avx512BFloat16 : level == ProcessorLevel.Avx2 ? level : ProcessorLevel.Avx512));

    private static void Fill(float* values, int count)
    {
        for (var i = 0; i < count; i++)
        {
            values[i] = (i * 7 % 19) - 9; // small integers, whose sums are exact
        }
    }

    private static uint Word(Func<int, float> value, bool narrow) => narrow
        ? (BitConverter.SingleToUInt32Bits(value(0)) >> 16) | (BitConverter.SingleToUInt32Bits(value(1)) & 0xFFFF0000)
        : BitConverter.SingleToUInt32Bits(value(0));
}
