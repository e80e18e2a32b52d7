using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Shows the library's warnings; the bar shows the rest.</summary>
internal sealed class ConsoleWarnings : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]{formatter(state, exception)}[/]");
        }
    }
}
