using TorchSharp;
using Xunit;

namespace Diffusion.Kernels.Tests;

public sealed class TileWorkTests : IDisposable
{
    private readonly int _threads = torch.get_num_threads();

    [Theory]
    [InlineData(1, 100)]
    [InlineData(4, 1)]
    [InlineData(4, 3)]
    [InlineData(4, 1000)]
    public void Run_AnyThreadsAndPieces_DoesEachPieceOnce(int threads, int pieces)
    {
        torch.set_num_threads(threads);
        for (var repeat = 0; repeat < 200; repeat++)
        {
            var done = new int[pieces];

            TileWork.Run(pieces, 16, (piece, _) => Interlocked.Increment(ref done[piece]));

            Assert.All(done, count => Assert.Equal(1, count));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Run_APieceThrows_ThrowsThatAndWorksAgain(int threads)
    {
        torch.set_num_threads(threads);
        for (var repeat = 0; repeat < 50; repeat++)
        {
            var error = Assert.Throws<InvalidDataException>(() => TileWork.Run(20, 16, (piece, _) => ThrowAt(7, piece)));
            Assert.Equal("7", error.Message);
        }

        var sum = 0;
        TileWork.Run(10, 16, (piece, _) => Interlocked.Add(ref sum, piece));
        Assert.Equal(45, sum);
    }

    [Fact]
    public async Task Run_FromManyThreadsAtOnce_DoesAllOfThem()
    {
        torch.set_num_threads(4);

        var sums = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            var sum = 0;
            for (var repeat = 0; repeat < 100; repeat++)
            {
                TileWork.Run(10, 16, (piece, _) => Interlocked.Add(ref sum, piece));
            }

            return sum;
        })));

        Assert.All(sums, sum => Assert.Equal(4500, sum));
    }

    [Fact]
    public void Run_WithinAPiece_DoesBoth()
    {
        torch.set_num_threads(4);
        var sum = 0;

        TileWork.Run(20, 16, (_, _) => TileWork.Run(20, 16, (piece, _) => Interlocked.Add(ref sum, piece)));

        Assert.Equal(20 * 190, sum);
    }

    [Fact]
    public unsafe void Run_Scratch_IsItsThreadsAlone()
    {
        torch.set_num_threads(4);
        TileWork.Run(200, 5000, (piece, scratch) =>
        {
            var memory = scratch.Take(5000);
            new Span<float>(memory, 5000).Fill(piece);
            Thread.Yield();
            Assert.Equal(-1, new Span<float>(memory, 5000).IndexOfAnyExcept(piece));
        });
    }

    public void Dispose() => torch.set_num_threads(_threads);

    private static void ThrowAt(int wanted, int piece)
    {
        if (piece == wanted)
        {
            throw new InvalidDataException($"{piece}");
        }
    }
}
