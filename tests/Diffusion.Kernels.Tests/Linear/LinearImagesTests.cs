using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed unsafe class LinearImagesTests
{
    /// <summary>Fewer images than threads: several threads could share one, of which they keep what they read.</summary>
    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void ToTokens_RowsAreKept_AreRightForAnyNumberOfThreads(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        using var scope = NewDisposeScope();
        using var pointers = TensorMemory.Use();
        using var generator = new Generator(7, CPU);
        var threads = get_num_threads();
        const int channels = 128, columns = 384;
        var (images, weight) = (randn([1, channels, 8, 16], generator: generator), randn([columns, channels], generator: generator));
        var (scales, shifts) = (randn([1, channels], generator: generator), randn([1, channels], generator: generator));
        var expected = (images * scales.view(1, channels, 1, 1) + shifts.view(1, channels, 1, 1)).flatten(2).transpose(1, 2).contiguous();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                using var inner = NewDisposeScope();
                set_num_threads(1 + (i % 4));
                var (tokens, rows) = (zeros([1, 128, columns]), zeros([128 + 7, channels]));

                var map = new ChannelMap(TensorMemory.Of<float>(scales), TensorMemory.Of<float>(shifts), channels, activates: false);
                if (level == ProcessorLevel.Avx2)
                {
                    ToTokens<Float32x8>(images, map, weight, tokens, rows);
                }
                else
                {
                    ToTokens<Float32x16>(images, map, weight, tokens, rows);
                }

                TensorAssert.Close(expected[0], rows[..128], 1e-6, 1e-6, "rows");
                TensorAssert.Close(expected.matmul(weight.t()), tokens, 1e-4, 1e-4, "tokens");
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private static void ToTokens<TVector>(Tensor images, ChannelMap map, Tensor weight, Tensor tokens, Tensor rows)
        where TVector : unmanaged, IVector<TVector>
    {
        var (panels, columns) = (LinearTokens<Float32Tile, TVector>.Panels(weight), (int)weight.size(0));
        LinearImages<Float32Tile, TVector>.ToTokens(
            WinogradImages.Of(images), map, TensorMemory.Of<uint>(panels), null, TensorMemory.Of<float>(tokens), columns, columns, TensorMemory.Of<uint>(rows));
    }
}
