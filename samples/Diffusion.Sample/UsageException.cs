using System.CommandLine;

namespace Diffusion.Sample;

/// <summary>The command line or the configuration asks for something that cannot be done.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>Does something with values of the command line: what the library says against them is the user's to mend.</summary>
    public static T Unless<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(Text(e));
        }
    }

    /// <summary>What an error says, in one line and without the name of a parameter, which is the program's own.</summary>
    public static string Text(ArgumentException error) =>
        (error.ParamName is { } name ? error.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : error.Message).ReplaceLineEndings(" ");

    /// <summary>Refuses options that nothing would use.</summary>
    /// <exception cref="UsageException">One is given.</exception>
    public static void IfUnused(string reason, params ReadOnlySpan<(string Option, bool Given)> options)
    {
        List<string> unused = [];
        foreach (var (option, given) in options)
        {
            if (given)
            {
                unused.Add(option);
            }
        }

        if (unused.Count > 0)
        {
            throw new UsageException($"{string.Join(", ", unused)} {(unused.Count == 1 ? "has" : "have")} no use here: {reason}");
        }
    }

    /// <summary>Refuses options that nothing would use.</summary>
    /// <exception cref="UsageException">One stands on the command line.</exception>
    public static void IfUnused(string reason, ParseResult arguments, params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            IfUnused(reason, (option.Name, arguments.GetResult(option) is { Implicit: false }));
        }
    }
}
