using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>What follows a verb: flags and values by name, each at most once.</summary>
internal sealed class Arguments(ReadOnlySpan<string> given)
{
    private readonly List<string> _left = [.. given];

    /// <summary>Whether the flag is there.</summary>
    public bool Flag(string name) => _left.Remove(name);

    /// <summary>The text after the name, or <see langword="null"/> where the name is missing.</summary>
    public string? Text(string name)
    {
        var index = _left.IndexOf(name);
        if (index < 0)
        {
            return null;
        }

        var value = index + 1 < _left.Count ? _left[index + 1] : throw new FormatException($"{name} needs a value.");
        _left.RemoveRange(index, 2);
        return value;
    }

    /// <summary>The whole number after the name, at least 1.</summary>
    public int Number(string name, int otherwise) => Text(name) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new FormatException($"{name} needs a whole number of at least 1; it was given '{text}'.");

    /// <summary>What has no name; nothing with a name may be left.</summary>
    public IReadOnlyList<string> Rest() => _left.Find(text => text.StartsWith('-')) is { } unknown
        ? throw new FormatException($"There is no option {unknown} here.")
        : _left;

    /// <summary>Throws where anything is left.</summary>
    public void End()
    {
        if (Rest() is [var first, ..])
        {
            throw new FormatException($"'{first}' is not expected here.");
        }
    }
}
