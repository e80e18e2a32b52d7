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

    /// <summary>Two pieces that wait for each other need two threads, also while another thread of the program computes.</summary>
    [Fact]
    public void Run_WhileAnotherThreadRuns_HasThreadsOfTheTeam()
    {
        torch.set_num_threads(3);
        var (inside, met, release) = (0, 0, false);
        void Rendezvous(ref int count)
        {
            Interlocked.Increment(ref count);
            for (var tries = 0; Volatile.Read(ref count) < 2 && tries < 10_000_000; tries++)
            {
                Thread.Yield();
            }
        }

        var other = new Thread(() => TileWork.Run(2, 16, (_, _) =>
        {
            Rendezvous(ref inside);
            while (!Volatile.Read(ref release))
            {
                Thread.Yield();
            }
        }));
        other.Start();
        while (Volatile.Read(ref inside) < 2)
        {
            Thread.Yield();
        }

        var alone = 0;
        TileWork.Run(2, 16, (_, _) =>
        {
            Rendezvous(ref met);
            Interlocked.Add(ref alone, Volatile.Read(ref met) == 2 ? 0 : 1);
        });
        Volatile.Write(ref release, true);
        other.Join();

        Assert.Equal(0, alone);
    }

    [Fact]
    public async Task Run_SomeOfManyThreadsThrow_EachGetsItsOwn()
    {
        torch.set_num_threads(4);

        var caught = await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(() =>
        {
            var mine = 0;
            for (var repeat = 0; repeat < 100; repeat++)
            {
                var sum = 0;
                try
                {
                    TileWork.Run(10, 16, (piece, _) =>
                    {
                        ThrowAt(caller % 2 == 0 ? caller : -1, piece);
                        Interlocked.Add(ref sum, piece);
                    });
                    mine += caller % 2 != 0 && sum == 45 ? 1 : 0;
                }
                catch (InvalidDataException error)
                {
                    mine += error.Message == $"{caller}" ? 1 : 0;
                }
            }

            return mine;
        })));

        Assert.All(caught, count => Assert.Equal(100, count));
    }

    /// <summary>Who left the wait would free memory that the others write.</summary>
    [Fact]
    public void Run_ThreadIsInterrupted_WaitsForTheOthersAndIsInterruptedAfterwards()
    {
        torch.set_num_threads(2);
        var (release, running, runningAtTheEnd, interrupted) = (false, 0, -1, false);
        var caller = new Thread(() =>
        {
            var self = Environment.CurrentManagedThreadId;
            try
            {
                TileWork.Run(2, 16, (_, _) =>
                {
                    Interlocked.Increment(ref running);
                    while (Environment.CurrentManagedThreadId == self ? Volatile.Read(ref running) < 2 : !Volatile.Read(ref release))
                    {
                        Thread.Yield();
                    }

                    if (Environment.CurrentManagedThreadId != self)
                    {
                        Interlocked.Decrement(ref running);
                    }
                });
                runningAtTheEnd = Volatile.Read(ref running) - 1;
                new ManualResetEventSlim().Wait();
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
                runningAtTheEnd = runningAtTheEnd < 0 ? Volatile.Read(ref running) - 1 : runningAtTheEnd;
            }
        });
        caller.Start();
        while (Volatile.Read(ref running) < 2 || (caller.ThreadState & ThreadState.WaitSleepJoin) == 0)
        {
            Thread.Yield();
        }

        caller.Interrupt();
        for (var i = 0; i < 10_000 && caller.IsAlive; i++)
        {
            Thread.Yield();
        }

        Volatile.Write(ref release, true);
        caller.Join();

        Assert.True(interrupted);
        Assert.Equal(0, runningAtTheEnd);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Run_TheSystemGivesFewerThreads_WorksWithThoseThereAre(int given)
    {
        var threads = TileTeam.Workers + 4; // three more than there are
        torch.set_num_threads(threads);
        var (start, asked, before) = (TileTeam.Start, 0, TileTeam.Workers);
        var done = new int[100];
        try
        {
            TileTeam.Start = thread =>
            {
                if (++asked > given)
                {
#pragma warning disable CA2201 // what .NET throws where the system gives no thread
                    throw new OutOfMemoryException("no thread left");
#pragma warning restore CA2201
                }

                start(thread);
            };
            TileWork.Run(done.Length, 16, (piece, _) => Interlocked.Increment(ref done[piece]));
        }
        finally
        {
            TileTeam.Start = start;
        }

        Assert.Equal(given + 1, asked);
        Assert.Equal(before + given, TileTeam.Workers);
        RunOnAnotherThread(threads, done.Length, piece => Interlocked.Increment(ref done[piece]));
        Assert.All(done, count => Assert.Equal(2, count));
        Assert.Equal(before + 3, TileTeam.Workers);
    }

    [Fact]
    public void Run_StartingAThreadFailsOtherwise_ThrowsThatAndOpensTheGate()
    {
        var threads = TileTeam.Workers + 2;
        torch.set_num_threads(threads);
        var start = TileTeam.Start;
        try
        {
            TileTeam.Start = _ => throw new InvalidDataException("not started");
            Assert.Throws<InvalidDataException>(() => TileWork.Run(10_000, 16, (_, _) => { }));
        }
        finally
        {
            TileTeam.Start = start;
        }

        var sum = 0;
        RunOnAnotherThread(threads, 10, piece => Interlocked.Add(ref sum, piece));
        Assert.Equal(45, sum);
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

    /// <summary>This one could enter a gate that it has locked itself.</summary>
    private static void RunOnAnotherThread(int threads, int pieces, Action<int> work)
    {
        var other = new Thread(() =>
        {
            torch.set_num_threads(threads); // libtorch's number is of each thread
            TileWork.Run(pieces, 16, (piece, _) => work(piece));
        }) { IsBackground = true };
        other.Start();
        Assert.True(other.Join(TimeSpan.FromSeconds(30)), "Another thread does not enter the gate.");
    }

    private static void ThrowAt(int wanted, int piece)
    {
        if (piece == wanted)
        {
            throw new InvalidDataException($"{piece}");
        }
    }
}
