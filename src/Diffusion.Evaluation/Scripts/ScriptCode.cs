namespace Diffusion.Evaluation;

/// <summary>Reads code of a TorchScript file, as PyTorch writes it, and takes calls of operators out that are not there.</summary>
internal static class ScriptCode
{
    private const string Own = "torch."; // what the operators of aten are called by
    private const string Others = "ops.";
    private const string Primitive = "prim"; // part of the language

    /// <summary>All calls of operators, in their order; strings are not looked into.</summary>
    public static IReadOnlyList<ScriptCall> Calls(string code)
    {
        var calls = new List<ScriptCall>();
        var open = new Stack<(int Start, string? Operator)>();
        var statement = 0;
        for (var i = 0; i < code.Length;)
        {
            var end = TokenEnd(code, i);
            switch (code[i])
            {
                case '(' or '[' or '{':
                    open.Push((i, null));
                    break;
                case ')' or ']' or '}' when open.TryPop(out var call):
                    if (call.Operator is { } name)
                    {
                        calls.Add(new ScriptCall(name, call.Start, end, statement));
                    }

                    break;
                case '\n' when open.Count == 0:
                    statement = end;
                    break;
                case var letter when IsName(letter):
                    if (end < code.Length && code[end] == '(' && OperatorOf(code[i..end]) is { } found)
                    {
                        open.Push((i, found));
                        end++;
                    }

                    break;
            }

            i = end;
        }

        return [.. calls.OrderBy(call => call.Start)];
    }

    /// <summary>
    /// The code with an error in place of calls of some operators, which comes when one of them is reached. <see langword="null"/> where one gives several values at once, whose types nobody knows.
    /// </summary>
    /// <param name="code">The code.</param>
    /// <param name="missing">The operators.</param>
    /// <param name="reason">Says the error for an operator.</param>
    public static string? Without(string code, IReadOnlySet<string> missing, Func<string, string> reason)
    {
        var calls = Calls(code).Where(call => missing.Contains(call.Operator)).ToList();
        var outer = calls.Where(call => !calls.Any(other => other.Start < call.Start && call.End <= other.End));
        foreach (var statement in outer.GroupBy(call => call.Statement).Reverse())
        {
            var before = code[statement.Key..statement.First().Start];
            if (before.TrimEnd().EndsWith('=') && before.Contains(',', StringComparison.Ordinal))
            {
                return null;
            }

            foreach (var call in statement.Reverse())
            {
                code = $"{code[..call.Start]}uninitialized(Tensor){code[call.End..]}";
            }

            var indentation = before[..^before.TrimStart(' ').Length];
            code = code.Insert(statement.Key, $"{indentation}ops.prim.RaiseException(\"{reason(statement.First().Operator)}\")\n");
        }

        return code;
    }

    /// <summary>Behind the name, the string or the sign that begins at a place.</summary>
    private static int TokenEnd(string code, int start)
    {
        var end = start + 1;
        if (code[start] is '"' or '\'')
        {
            while (end < code.Length && code[end] != code[start])
            {
                end += code[end] == '\\' ? 2 : 1;
            }

            return Math.Min(end + 1, code.Length);
        }

        if (code[start] == '#')
        {
            return code.IndexOf('\n', start) is >= 0 and var line ? line : code.Length;
        }

        while (IsName(code[start]) && end < code.Length && IsName(code[end]))
        {
            end++;
        }

        return end;
    }

    private static bool IsName(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or '.';

    private static string? OperatorOf(string name)
    {
        if (name.StartsWith(Own, StringComparison.Ordinal))
        {
            return name[Own.Length..] is var simple && !simple.Contains('.', StringComparison.Ordinal) ? $"aten::{simple}" : null;
        }

        return name.StartsWith(Others, StringComparison.Ordinal) && name[Others.Length..].Split('.') is [var owner, var operation] && owner != Primitive ? $"{owner}::{operation}" : null;
    }
}
