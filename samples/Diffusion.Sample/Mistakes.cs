using System.CommandLine;
using System.CommandLine.Parsing;
using Diffusion.Configuration;
using Microsoft.Extensions.Options;

namespace Diffusion.Sample;

/// <summary>What is wrong with a command line, in the words of whoever typed it.</summary>
internal static class Mistakes
{
    /// <summary>The options of the command that trains, by their path in <see cref="RunOptions"/>.</summary>
    public static IReadOnlyDictionary<string, string> OfTraining { get; } = new Dictionary<string, string>
    {
        ["Training.Steps"] = "--steps", ["Training.Seed"] = "--seed", ["Diffusion.Schedule"] = "--schedule", ["Diffusion.Prediction"] = "--prediction", ["Sampling.Sampler"] = "--sampler", ["Sampling.Spacing"] = "--spacing",
    };

    /// <summary>The options of the commands that draw, by their path in <see cref="RunOptions"/>.</summary>
    public static IReadOnlyDictionary<string, string> OfDrawing { get; } = new Dictionary<string, string>
    {
        ["Sampling.Count"] = "--count", ["Sampling.Sampler"] = "--sampler", ["Sampling.Steps"] = "--steps", ["Sampling.Spacing"] = "--spacing", ["Sampling.Seed"] = "--seed",
        ["Sampling.Guidance"] = "--guidance", ["Sampling.GuidanceSigmaMin"] = "--guidance-sigma-min", ["Sampling.GuidanceSigmaMax"] = "--guidance-sigma-max",
    };

    /// <summary>Refuses options of a run that the command line has changed.</summary>
    /// <param name="errors">The mistakes.</param>
    /// <param name="options">The options of the command by their path; everything else is named as a configuration file writes it.</param>
    /// <exception cref="OptionsValidationException">There are mistakes.</exception>
    public static void ThrowIfAny(IEnumerable<OptionsError> errors, IReadOnlyDictionary<string, string> options)
    {
        string[] lines = [.. errors.Select(error => (Option: options.GetValueOrDefault(error.Path), Named: RunConfiguration.InFile(error))).Select(each => $"{each.Option ?? each.Named.Path} {OnCommandLine(each.Named.Message, options)}")];
        if (lines.Length > 0)
        {
            throw new OptionsValidationException("The command line", typeof(RunOptions), lines);
        }
    }

    /// <summary>What could not be read, a line each: an unknown name with the one that it is like, and not what follows from it.</summary>
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        var command = parsed.CommandResult.Command;
        // An option that the command does not have is taken for its argument, where it has one; after "--" one may begin so.
        var taken = parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash) ? [] : parsed.CommandResult.Tokens.Select(token => token.Value).Where(IsOption);
        string[] unknown = [.. taken, .. parsed.UnmatchedTokens];
        string[] others = [.. parsed.Errors.Select(error => error.Message).Where(message => !unknown.Any(token => message.Contains($"'{token}'", StringComparison.Ordinal)))];
        if (unknown.Length == 0)
        {
            return others;
        }

        if (command is RootCommand && !IsOption(unknown[0]))
        {
            return [$"There is no command '{unknown[0]}'{Like(unknown[0], command.Subcommands.Select(each => each.Name))}"]; // the rest is of that command
        }

        string[] wrong = [.. unknown.Where(IsOption).Select(token => $"{Called(command)} has no option '{token}'{Like(token, command.Options.Select(option => option.Name))}")];
        return wrong.Length > 0 ? [.. wrong, .. others] : [$"{Called(command)} does not take the argument '{unknown[0]}'.", .. others];
    }

    /// <summary>How many letters are to be left out, put in, changed or swapped with the next until one word is another.</summary>
    internal static int Distance(string one, string other)
    {
        var table = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }

                var same = one[i - 1] == other[j - 1];
                var least = Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + (same ? 0 : 1));
                var swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                table[i, j] = swapped ? Math.Min(least, table[i - 2, j - 2] + 1) : least;
            }
        }

        return table[one.Length, other.Length];
    }

    /// <summary>With the names of options in place of those of a file; a name of one word may be a word of the sentence, and stays.</summary>
    private static string OnCommandLine(string message, IReadOnlyDictionary<string, string> options) => options
        .Select(each => (Name: RunConfiguration.InFile(new(each.Key, "")).Path.Split('.')[^1], each.Value)).Where(each => each.Name.Any(char.IsAsciiLetterUpper))
        .Aggregate(message, (text, each) => text.Replace(each.Name, each.Value, StringComparison.Ordinal));

    private static bool IsOption(string token) => token.StartsWith('-') && token.Length > 1 && !char.IsAsciiDigit(token[1]);

    private static string Called(Command command) => command is RootCommand ? "The program without a command" : $"'{command.Name}'";

    private static string Like(string token, IEnumerable<string> names)
    {
        var near = names.Select(name => (Name: name, Distance: Distance(token, name))).OrderBy(each => each.Distance).First();
        return near.Distance <= Math.Max(1, token.TrimStart('-').Length / 3) ? $"; did you mean '{near.Name}'?" : ".";
    }
}
