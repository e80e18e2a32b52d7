namespace Diffusion;

/// <summary>
/// Waits that <see cref="Thread.Interrupt"/> does not end: who left one would free memory that other threads still write. The interruption comes with the thread's next wait.
/// </summary>
internal static class Uninterrupted
{
    /// <summary>Enters a monitor.</summary>
    public static void Enter(object gate) => Wait(gate, static gate => Monitor.Enter(gate));

    /// <summary>Waits.</summary>
    /// <param name="on">What for.</param>
    /// <param name="wait">Waits for it; a wait that was interrupted has done nothing.</param>
    public static void Wait<T>(T on, Action<T> wait)
    {
        for (var interrupted = false; ; interrupted = true)
        {
            try
            {
                wait(on);
            }
            catch (ThreadInterruptedException)
            {
                continue;
            }

            if (interrupted)
            {
                Thread.CurrentThread.Interrupt();
            }

            return;
        }
    }
}
