using Xunit;

namespace Diffusion.Tests;

public sealed class ParallelPartsTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 5)]
    [InlineData(4, 0)]
    [InlineData(4, 1)]
    [InlineData(4, 3)]
    [InlineData(4, 1000)]
    public void Run_AnyThreadsAndParts_DoesEachPartOnce(int threads, int parts)
    {
        for (var repeat = 0; repeat < 100; repeat++)
        {
            var done = new int[parts];

            ParallelParts.Run(threads, parts, part => Interlocked.Increment(ref done[part]));

            Assert.All(done, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Run_OneThread_IsTheOneThatCalls()
    {
        var caller = Environment.CurrentManagedThreadId;

        ParallelParts.Run(1, 20, _ => Assert.Equal(caller, Environment.CurrentManagedThreadId));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Run_APartThrows_ThrowsThatAndWorksAgain(int threads)
    {
        for (var repeat = 0; repeat < 50; repeat++)
        {
            var error = Assert.Throws<AggregateException>(() => ParallelParts.Run(threads, 20, part =>
            {
                if (part == 7)
                {
                    throw new InvalidDataException("7");
                }
            }));
            Assert.Equal("7", Assert.IsType<InvalidDataException>(error.InnerException).Message);
        }

        var sum = 0;
        ParallelParts.Run(threads, 10, part => Interlocked.Add(ref sum, part));
        Assert.Equal(45, sum);
    }

    [Fact]
    public async Task Run_FromThreadsOfThePoolAndWithinAPart_DoesAllOfThem()
    {
        var sums = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() =>
        {
            var sum = 0;
            for (var repeat = 0; repeat < 20; repeat++)
            {
                ParallelParts.Run(4, 10, _ => ParallelParts.Run(4, 10, part => Interlocked.Add(ref sum, part)));
            }

            return sum;
        })));

        Assert.All(sums, sum => Assert.Equal(20 * 10 * 45, sum));
    }

    /// <summary>Who left the wait would free memory that the others write.</summary>
    [Fact]
    public void Run_ThreadIsInterrupted_WaitsForTheOthersAndIsInterruptedAfterwards()
    {
        var (release, running, runningAtTheEnd, interrupted) = (false, 0, -1, false);
        var caller = new Thread(() =>
        {
            var self = Environment.CurrentManagedThreadId;
            try
            {
                ParallelParts.Run(2, 2, _ =>
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
}
