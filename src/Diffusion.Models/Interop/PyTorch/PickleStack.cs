namespace Diffusion.Models;

/// <summary>The stack of a pickle: values, and marks below which an opcode that takes all down to the last mark does not reach.</summary>
internal sealed class PickleStack
{
    // Lists and dictionaries are filled a thousand items at a time; only a tuple needs all of its items at once.
    private const int MaximumDepth = 1_000_000;

    private readonly List<object?> _values = [];
    private readonly Stack<int> _marks = [];

    private int Floor => _marks.TryPeek(out var mark) ? mark : 0;

    public void Push(object? value)
    {
        if (_values.Count == MaximumDepth)
        {
            throw TooDeep();
        }

        _values.Add(value);
    }

    public void Mark()
    {
        if (_marks.Count == MaximumDepth)
        {
            throw TooDeep();
        }

        _marks.Push(_values.Count);
    }

    public object? Peek() => _values.Count > Floor ? _values[^1] : throw new InvalidDataException("its pickle takes a value where there is none");

    public object? Pop()
    {
        var value = Peek();
        _values.RemoveAt(_values.Count - 1);
        return value;
    }

    /// <summary>A value of a type that an opcode needs.</summary>
    public T Peek<T>() => Peek() is T value ? value : throw new InvalidDataException($"its pickle has {PickleText.Kind(Peek())} where {Needed<T>()} is needed");

    /// <inheritdoc cref="Peek{T}"/>
    public T Pop<T>()
    {
        var value = Peek<T>();
        Pop();
        return value;
    }

    /// <summary>The last values, in the order in which they were pushed.</summary>
    public object?[] Pop(int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            values[i] = Pop();
        }

        return values;
    }

    /// <summary>All values down to the last mark, and the mark.</summary>
    public object?[] PopToMark()
    {
        if (!_marks.TryPop(out var mark))
        {
            throw new InvalidDataException("its pickle takes values down to a mark that is not there");
        }

        object?[] values = [.. _values[mark..]];
        _values.RemoveRange(mark, values.Length);
        return values;
    }

    private static string Needed<T>() => typeof(T) == typeof(string) ? "a text" : typeof(T) == typeof(List<object?>) ? "a list" : "a dictionary";

    private static InvalidDataException TooDeep() => new($"its pickle has over {MaximumDepth} values on its stack");
}
