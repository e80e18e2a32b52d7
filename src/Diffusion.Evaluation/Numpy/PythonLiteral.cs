using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>Reads the few literals of Python that headers of NumPy are made of.</summary>
internal sealed class PythonLiteral(string text)
{
    private int _at;

    /// <summary>Whether a character comes next.</summary>
    public bool TryPeek(char expected)
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }

        return _at < text.Length && text[_at] == expected;
    }

    /// <summary>Takes a character if it comes next.</summary>
    public bool TryTake(char expected)
    {
        var found = TryPeek(expected);
        _at += found ? 1 : 0;
        return found;
    }

    /// <summary>Takes a character.</summary>
    public void Expect(char expected)
    {
        if (!TryTake(expected))
        {
            throw Refused($"'{expected}'");
        }
    }

    /// <summary>Nothing comes next.</summary>
    public void ExpectEnd()
    {
        if (TryPeek('\0') || _at < text.Length)
        {
            throw Refused("its end");
        }
    }

    /// <summary>Takes a string in quotes, without escapes.</summary>
    public string String()
    {
        var quote = TryPeek('"') ? '"' : '\'';
        Expect(quote);
        var end = text.IndexOf(quote, _at);
        var value = end < 0 || text.AsSpan(_at, end - _at).Contains('\\') ? throw Refused("a string") : text[_at..end];
        _at = end + 1;
        return value;
    }

    /// <summary>Takes <c>True</c> or <c>False</c>.</summary>
    public bool Boolean()
    {
        var value = TryPeek('T');
        var word = value ? "True" : "False";
        if (string.CompareOrdinal(text, _at, word, 0, word.Length) != 0)
        {
            throw Refused("True or False");
        }

        _at += word.Length;
        return value;
    }

    /// <summary>Takes a tuple of whole numbers of at least 0.</summary>
    public IReadOnlyList<long> Tuple()
    {
        var values = new List<long>();
        Expect('(');
        while (!TryTake(')'))
        {
            values.Add(Number());
            if (!TryTake(','))
            {
                Expect(')');
                break;
            }
        }

        return values;
    }

    private long Number()
    {
        TryPeek('0'); // past white space
        var end = _at;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        var value = long.TryParse(text.AsSpan(_at, end - _at), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Refused("a size");
        _at = end < text.Length && text[end] == 'L' ? end + 1 : end; // so Python 2 wrote them
        return value;
    }

    private InvalidDataException Refused(string needed) => new($"its header is no description of an array: {needed} is needed at character {_at}");
}
