using System.Text;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Standard output or error where the terminal closes, and where the console's code page lacks some of the library's signs.</summary>
/// <remarks>The code page stays as it is: it is the console's, and with it of whoever started this process.</remarks>
internal sealed class ConsoleText(TextWriter inner, bool redirected) : TextWriter
{
    // Two or four bytes a code unit, and UTF-8.
    private static readonly int[] s_unicode = [1200, 1201, 12000, 12001, 65001];

    private const int WidthOfFiles = 10_000;

    private static readonly Dictionary<char, string> s_plain = new()
    {
        ['×'] = "x", ['→'] = "->", ['…'] = "...", ['−'] = "-", ['·'] = "*", ['α'] = "alpha", ['ε'] = "epsilon", ['√'] = "sqrt", ['ᾱ'] = "alpha-bar", ['σ'] = "sigma", ['¹'] = "1", ['²'] = "2", ['³'] = "3",
        ['γ'] = "gamma", ['₀'] = "0", ['\u0302'] = "-hat", ['≥'] = ">=", ['±'] = "+/-", ['é'] = "e",
        ['─'] = "-", ['│'] = "|", ['┌'] = "+", ['┬'] = "+", ['┐'] = "+", ['├'] = "+", ['┼'] = "+", ['┤'] = "+", ['└'] = "+", ['┴'] = "+", ['┘'] = "+", // tables
    };

    private readonly bool _plain = !IsUnicode(inner.Encoding);

    public override Encoding Encoding => inner.Encoding;

    /// <summary>From now on for this process's output and error.</summary>
    public static void Use()
    {
        Console.SetOut(new ConsoleText(Console.Out, Console.IsOutputRedirected));
        Console.SetError(new ConsoleText(Console.Error, Console.IsErrorRedirected));
        AnsiConsole.Profile.Capabilities.Unicode = IsUnicode(Console.Out.Encoding); // bars
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = WidthOfFiles; // lines of a file are not broken: paths are copied from them, and searched for
        }
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        try
        {
            inner.Write(_plain && value is not null ? Plain(value) : value);
        }
        catch (IOException) when (!redirected)
        {
            // The terminal is closed. The signal of that ends the command, whose checkpoint comes first.
        }
    }

    public override void Flush()
    {
        try
        {
            inner.Flush();
        }
        catch (IOException) when (!redirected)
        {
            // As above.
        }
    }

    private static bool IsUnicode(Encoding encoding) => s_unicode.Contains(encoding.CodePage);

    private static string Plain(string text) => string.Concat(text.Select(sign => s_plain.TryGetValue(sign, out var plain) ? plain : sign.ToString()));
}
