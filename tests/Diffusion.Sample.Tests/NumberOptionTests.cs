using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Diffusion.Sample.Tests;

/// <summary>Numbers of the command line: every option of every command that is one.</summary>
public sealed class NumberOptionTests
{
    /// <summary>One for all tests: options are shared by every command line that was made, and parsing slows down with their number.</summary>
    private static readonly RootCommand s_root = CommandLine.Create();

    public static TheoryData<string, string> All => new(Options(s_root).Select(found => (found.Command, found.Option.Name)));

    [Fact]
    public void Options_OfAllCommands_AreFound()
    {
        var names = All.Select(row => row.Data.Item2).ToHashSet(StringComparer.Ordinal);
        Assert.Equivalent(new[] { "--steps", "--stop-after", "--seed", "--count", "--batch", "--likelihood", "--epochs", "--held-out", "--limit", "--guidance", "--guidance-sigma-min", "--guidance-sigma-max", "--null-label", "--strength", "--jump-length", "--resamples", "--points", "--seeds", "--strips", "--guidances", "--calls" }, names, strict: true);
    }

    [Fact]
    public void Arguments_OfAllCommands_AreNoNumbers() =>
        Assert.All(Commands(s_root).SelectMany(command => command.Arguments), argument => Assert.Equal(typeof(string), argument.ValueType));

    [Theory]
    [MemberData(nameof(All))]
    public void Parse_NoNumberOfTheInvariantCulture_IsAnError(string command, string option)
    {
        foreach (var culture in Cultures())
        {
            CultureInfo.CurrentCulture = culture;
            foreach (var text in new[] { "1,5", "1.5,0", "1,000", "1 000", "1'000", "1_0", " 1", "1 ", "many", "", "0x10", "$1", "(1)", "1%", "−1", "١", "１", "NaN", "Infinity", "-Infinity", "∞", "1e999", "99999999999999999999e400" })
            {
                var parsed = s_root.Parse([command, option, text]);
                Assert.Contains(parsed.Errors, error => error.Message.StartsWith($"Cannot parse argument '{text}' for option '{option}'", StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Parse_Number_IsTheSameInEveryCulture(string command, string option)
    {
        foreach (var culture in Cultures())
        {
            CultureInfo.CurrentCulture = culture;
            var declared = Options(s_root).First(found => found.Command == command && found.Option.Name == option).Option;
            Assert.Equal("3", Value(s_root.Parse([command, option, "3"]), declared));
            Assert.Equal("-3", Value(s_root.Parse([command, option, "-3"]), declared));
            if (Number(declared.ValueType) == typeof(double))
            {
                Assert.Equal("1.5", Value(s_root.Parse([command, option, "1.5"]), declared));
                Assert.Equal("0.0015", Value(s_root.Parse([command, option, "1.5e-3"]), declared));
            }
            else
            {
                Assert.Contains(s_root.Parse([command, option, "1.5"]).Errors, error => error.Message.Contains("a whole number", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Parse_SeveralNumbers_AreAllRead()
    {
        var seeds = (Option<long[]>)Options(s_root).Single(found => found.Option.Name == "--seeds").Option;
        Assert.Equal([1, 2], s_root.Parse(["interpolate", "--checkpoint", "out", "--seeds", "1", "2"]).GetValue(seeds)!);
    }

    [Fact]
    public void Sample_DecimalComma_IsWrongUsage()
    {
        using var app = new SampleProcess();
        var run = app.Run("sample", "--checkpoint", "out", "--guidance", "1,5");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("Cannot parse argument '1,5' for option '--guidance'", run.Error, StringComparison.Ordinal);
    }

    /// <summary>The invariant culture, and one that writes numbers as German does: the tests run without the data of real ones.</summary>
    private static IEnumerable<CultureInfo> Cultures()
    {
        yield return CultureInfo.InvariantCulture;
        yield return CommaCulture.Create();
    }

    private static string? Value(ParseResult parsed, Option option) => parsed.GetResult(option)!.GetValueOrDefault<object>() switch
    {
        Array numbers => string.Join(' ', numbers.Cast<IFormattable>().Select(number => number.ToString(null, CultureInfo.InvariantCulture))),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var other => other?.ToString(),
    };

    private static IEnumerable<(string Command, Option Option)> Options(Command root) =>
        Commands(root).SelectMany(command => command.Options.Where(option => IsNumber(Number(option.ValueType))).Select(option => (command.Name, option)));

    private static IEnumerable<Command> Commands(Command root) => root.Subcommands.SelectMany(Commands).Prepend(root);

    private static bool IsNumber(Type type) => type.GetInterfaces().Any(each => each.IsGenericType && each.GetGenericTypeDefinition() == typeof(INumberBase<>));

    /// <summary>The type of a number, of one that may be left out, or of several.</summary>
    private static Type Number(Type type) => Nullable.GetUnderlyingType(type) ?? type.GetElementType() ?? type;
}
