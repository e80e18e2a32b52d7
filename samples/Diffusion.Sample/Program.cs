using Diffusion;
using Diffusion.Sample;

// Before the first tensor: each step takes the same buffers again, so freed memory is kept; and few processors have no time for threads that spin.
DiffusionRuntime.KeepFreedMemory();
DiffusionRuntime.WaitWithoutSpinning();
ConsoleText.Use();

var parsed = CommandLine.Create().Parse(args);
if (Mistakes.Of(parsed) is { Count: > 0 } mistakes)
{
    foreach (var line in mistakes)
    {
        Console.Error.WriteLine(line);
    }

    Console.Error.WriteLine("--help lists the commands and options.");
    return ExitCode.Usage;
}

try
{
    _ = DiffusionRuntime.ProcessorLevel;
}
catch (PlatformNotSupportedException e) // DIFFUSION_CPU names no level, or one that this processor lacks
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Usage;
}

return parsed.Invoke();
