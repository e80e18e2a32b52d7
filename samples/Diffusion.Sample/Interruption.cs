using System.Runtime.InteropServices;

namespace Diffusion.Sample;

/// <summary>What asks the process to end: Ctrl-C, Ctrl-Break, a request of the system, a closed terminal or window.</summary>
/// <remarks>The first cancels the command, which ends with a whole checkpoint. A second Ctrl-C or SIGTERM ends the process at once; a terminal that closes may say so often.</remarks>
internal static class Interruption
{
    // A tool that ends a program, timeout for one, sends its signal to the process and to its group: to the same process twice.
    private static readonly TimeSpan s_once = TimeSpan.FromSeconds(0.5);

    // For the end of the command; Windows itself waits for less.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private static readonly CancellationTokenSource s_cancellation = new();
    private static readonly List<PosixSignalRegistration> s_registrations = []; // kept to the end of the process: one that is collected hears nothing
    private static readonly HashSet<PosixSignal> s_heard = [];
    private static readonly Lock s_lock = new();
    private static long s_firstAt;

    /// <summary>128 and the signal's number, as shells say it, of the first signal; 0 before there is one.</summary>
    public static int ExitCode { get; private set; }

    /// <summary>Cancelled by the first signal from now on.</summary>
    public static CancellationToken Listen()
    {
        On(PosixSignal.SIGHUP, 129);
        On(PosixSignal.SIGINT, 130);
        On(PosixSignal.SIGTERM, 143);
        if (OperatingSystem.IsWindows())
        {
            On(PosixSignal.SIGQUIT, 131); // Ctrl-Break; elsewhere this signal is there to end a process with an image of its memory
        }

        return s_cancellation.Token;
    }

    private static void On(PosixSignal signal, int exitCode) => s_registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = First(signal, exitCode) || signal == PosixSignal.SIGHUP;
        s_cancellation.Cancel();
        if (OperatingSystem.IsWindows() && signal is PosixSignal.SIGHUP or PosixSignal.SIGTERM)
        {
            // Windows ends the process where this returns. The command's end does it sooner, with its exit code.
            Thread.CurrentThread.Join(s_patience);
        }
    }));

    /// <summary>Whether this is the first signal, a SIGTERM after others, or one that came at the same time.</summary>
    private static bool First(PosixSignal signal, int exitCode)
    {
        lock (s_lock)
        {
            var first = s_heard.Add(signal);
            if (ExitCode == 0)
            {
                (ExitCode, s_firstAt) = (exitCode, Environment.TickCount64);
                return true;
            }

            return (first && signal == PosixSignal.SIGTERM) || Environment.TickCount64 - s_firstAt < s_once.TotalMilliseconds;
        }
    }
}
