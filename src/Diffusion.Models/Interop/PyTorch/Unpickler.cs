using Dictionary = System.Collections.Generic.OrderedDictionary<string, object?>;

namespace Diffusion.Models;

/// <summary>
/// Runs a pickle, which can build tensors, containers and plain values only: <see cref="PickleGlobals"/> is all that it can name. It never recurses.
/// Dictionaries become <see cref="Dictionary"/>, lists and sets <see cref="List{T}"/>, tuples arrays.
/// </summary>
internal sealed class Unpickler
{
    private const int LowestProtocol = 2;
    private const int HighestProtocol = 5;

    // A byte can make an object of a hundred: this bounds what a hostile file of nothing else takes.
    private const int MaximumObjects = 4_000_000;

    private readonly PickleReader _reader;
    private readonly PickleStorages _storages;
    private readonly PickleKeys _keys;
    private readonly PickleCalls _calls;
    private readonly PickleStack _stack = new();
    private readonly Dictionary<long, object?> _memo = [];
    private int _objects;

    public Unpickler(PickleReader reader, PickleStorages storages)
    {
        (_reader, _storages, _keys) = (reader, storages, new PickleKeys(reader));
        _calls = new PickleCalls(new PickleBudget(reader), _keys);
    }

    /// <summary>Runs the pickle to its end.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or names something that it may not.</exception>
    /// <exception cref="EndOfStreamException">It ends early.</exception>
    public object? Read()
    {
        while (true)
        {
            var position = _reader.Position;
            var opcode = (PickleOpcode)_reader.ReadByte();
            if (opcode == PickleOpcode.Stop)
            {
                _keys.ThrowIfTensorsAreLeftOut();
                return _stack.Pop();
            }

            Run(opcode, position);
        }
    }

    private void Run(PickleOpcode opcode, long position)
    {
        switch (opcode)
        {
            case PickleOpcode.Proto:
                if (_reader.ReadByte() is not (>= LowestProtocol and <= HighestProtocol))
                {
                    throw new InvalidDataException($"its pickle is not of protocol {LowestProtocol} to {HighestProtocol}");
                }

                break;
            case PickleOpcode.Frame: _reader.ReadInt64(); break; // A hint for buffering.
            case PickleOpcode.Mark: _stack.Mark(); break;
            case PickleOpcode.Pop: _stack.Pop(); break;
            case PickleOpcode.PopMark: _stack.PopToMark(); break;
            case PickleOpcode.Dup: _stack.Push(_stack.Peek()); break;

            case PickleOpcode.None: _stack.Push(null); break;
            case PickleOpcode.NewTrue: _stack.Push(true); break;
            case PickleOpcode.NewFalse: _stack.Push(false); break;
            case PickleOpcode.BinInt: _stack.Push(_reader.ReadInt32()); break;
            case PickleOpcode.BinInt1: _stack.Push((long)_reader.ReadByte()); break;
            case PickleOpcode.BinInt2: _stack.Push(_reader.ReadUInt16()); break;
            case PickleOpcode.Long1: _stack.Push(_reader.ReadInteger()); break;
            case PickleOpcode.BinFloat: _stack.Push(_reader.ReadDouble()); break;
            case PickleOpcode.BinString: _stack.Push(_reader.ReadText(_reader.ReadInt32())); break;
            case PickleOpcode.ShortBinString: _stack.Push(_reader.ReadText(_reader.ReadByte())); break;
            case PickleOpcode.BinUnicode: _stack.Push(_reader.ReadText(_reader.ReadUInt32())); break;
            case PickleOpcode.ShortBinUnicode: _stack.Push(_reader.ReadText(_reader.ReadByte())); break;
            case PickleOpcode.BinUnicode8: _stack.Push(_reader.ReadText(_reader.ReadInt64())); break;

            case PickleOpcode.BinBytes: _stack.Push(_reader.ReadBytes(_reader.ReadUInt32())); break;
            case PickleOpcode.ShortBinBytes: _stack.Push(_reader.ReadBytes(_reader.ReadByte())); break;
            case PickleOpcode.BinBytes8 or PickleOpcode.ByteArray8: _stack.Push(_reader.ReadBytes(_reader.ReadInt64())); break;

            case PickleOpcode.EmptyTuple: Make(Array.Empty<object?>()); break;
            case PickleOpcode.Tuple1: Make(_stack.Pop(1)); break;
            case PickleOpcode.Tuple2: Make(_stack.Pop(2)); break;
            case PickleOpcode.Tuple3: Make(_stack.Pop(3)); break;
            case PickleOpcode.Tuple: Make(_stack.PopToMark()); break;
            case PickleOpcode.EmptyList or PickleOpcode.EmptySet: Make(new List<object?>()); break;
            case PickleOpcode.List or PickleOpcode.FrozenSet: Make(new List<object?>(_stack.PopToMark())); break;
            case PickleOpcode.EmptyDict: Make(new Dictionary(StringComparer.Ordinal)); break;
            case PickleOpcode.Dict: Make(SetItems(new Dictionary(StringComparer.Ordinal), _stack.PopToMark())); break;
            case PickleOpcode.Append: Append([_stack.Pop()]); break;
            case PickleOpcode.Appends or PickleOpcode.AddItems: Append(_stack.PopToMark()); break;
            case PickleOpcode.SetItem: SetItems(_stack.Pop(2)); break;
            case PickleOpcode.SetItems: SetItems(_stack.PopToMark()); break;

            case PickleOpcode.BinPut: Store(_reader.ReadByte()); break;
            case PickleOpcode.LongBinPut: Store(_reader.ReadUInt32()); break;
            case PickleOpcode.Memoize: Store(_memo.Count); break;
            case PickleOpcode.BinGet: _stack.Push(Recall(_reader.ReadByte())); break;
            case PickleOpcode.LongBinGet: _stack.Push(Recall(_reader.ReadUInt32())); break;

            case PickleOpcode.Global: _stack.Push(PickleGlobals.Find(_reader.ReadLine(), _reader.ReadLine())); break;
            case PickleOpcode.StackGlobal: StackGlobal(); break;
            case PickleOpcode.Reduce: Reduce(); break;
            case PickleOpcode.Build: Build(); break;
            case PickleOpcode.BinPersId: _stack.Push(_storages.Get(_stack.Pop())); break;
            case PickleOpcode.Inst:
                PickleGlobals.Find(_reader.ReadLine(), _reader.ReadLine());
                throw NotAllowed(opcode, position);
            default: throw NotAllowed(opcode, position);
        }
    }

    private static InvalidDataException NotAllowed(PickleOpcode opcode, long position) =>
        new($"its pickle has at byte {position} the opcode {opcode} (0x{(byte)opcode:X2}), which torch.save needs for no tensor and no plain value");

    private void Make(object container)
    {
        if (++_objects > MaximumObjects)
        {
            throw new InvalidDataException($"its pickle makes over {MaximumObjects} objects");
        }

        _stack.Push(container);
    }

    private void Store(long key)
    {
        _memo[key] = _stack.Peek();
        if (_memo.Count > MaximumObjects)
        {
            throw new InvalidDataException($"its pickle stores over {MaximumObjects} values");
        }
    }

    private object? Recall(long key) => _memo.TryGetValue(key, out var value)
        ? value
        : throw new InvalidDataException($"its pickle recalls the value {key}, which it has not stored");

    private void Append(object?[] items) => _stack.Peek<List<object?>>().AddRange(items);

    private void SetItems(object?[] items) => SetItems(_stack.Peek<Dictionary>(), items);

    private Dictionary SetItems(Dictionary dictionary, object?[] items)
    {
        if (items.Length % 2 != 0)
        {
            throw new InvalidDataException("its pickle has a key without a value");
        }

        for (var i = 0; i < items.Length; i += 2)
        {
            _keys.SetItem(dictionary, items[i], items[i + 1]);
        }

        return dictionary;
    }

    private void StackGlobal()
    {
        var name = _stack.Pop<string>();
        _stack.Push(PickleGlobals.Find(_stack.Pop<string>(), name));
    }

    private void Reduce()
    {
        var arguments = _stack.Pop();
        Make(_calls.Call(_stack.Pop(), arguments));
    }

    /// <summary>Attributes of an object. A state dictionary has some (its modules' versions); nothing else that is read here has any.</summary>
    private void Build()
    {
        _stack.Pop<Dictionary>();
        _stack.Peek<Dictionary>();
    }
}
