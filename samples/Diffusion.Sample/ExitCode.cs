using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;

namespace Diffusion.Sample;

/// <summary>What the process tells its caller, and the messages for errors that a user can mend.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>Runs a command that Ctrl-C and other signals cancel: <see cref="Interruption"/>.</summary>
    public static int Of(Action<CancellationToken> command)
    {
        try
        {
            return Of(() =>
            {
                // libtorch first: on Windows its Intel runtime takes Ctrl-C for the end of the process, and the handler that came last is asked first.
                DiffusionRuntime.EnsureLoaded();
                command(Interruption.Listen());
            });
        }
        catch (OperationCanceledException) when (Interruption.ExitCode > 0)
        {
            return Interruption.ExitCode;
        }
        catch (OperationCanceledException e) // not by a signal
        {
            Console.Error.WriteLine(e.Message);
            return Failed;
        }
    }

    /// <summary>Runs a command that a signal ends at once.</summary>
    public static int Of(Action command)
    {
        try
        {
            command();
            return Done;
        }
        catch (OptionsValidationException e)
        {
            Console.Error.WriteLine($"{e.OptionsName} has {e.Failures.Count()} mistake(s):");
            foreach (var failure in e.Failures)
            {
                Console.Error.WriteLine("  " + failure);
            }

            return Usage;
        }
        catch (UsageException e)
        {
            Console.Error.WriteLine(e.Message);
            return Usage;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or PlatformNotSupportedException or InvalidOperationException or AggregateException or ExternalException or OutOfMemoryException)
        {
            Console.Error.WriteLine(e.Message);
            return Failed;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Not foreseen: the kind of the error helps whoever reports it.
            Console.Error.WriteLine($"Internal error, {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
            return Failed;
        }
    }
}
