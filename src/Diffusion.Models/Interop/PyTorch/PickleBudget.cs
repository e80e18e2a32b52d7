namespace Diffusion.Models;

/// <summary>
/// What a pickle may make, in proportion to its bytes. An opcode makes little, but a call copies what it is given, which the pickle can recall with two bytes and
/// give again; a tensor takes some hundred bytes here and five there.
/// </summary>
internal sealed class PickleBudget(PickleReader reader)
{
    // What is copied once was made of a byte at least.
    private const int CopiesForAnyPickle = 1000;
    private const int CopiesForEachByte = 2;

    // A call that makes a tensor has 45 bytes at least, and the storage, the sizes and the strides that go with it.
    private const int TensorsForAnyPickle = 1000;
    private const int BytesForEachTensor = 16;

    private const int CharactersForAnyPickle = 100_000;
    private const int CharactersForEachByte = 16;

    private long _copies;
    private long _tensors;

    /// <summary>Counts items or characters that are copied.</summary>
    /// <exception cref="InvalidDataException">They are more than a pickle of this length can need.</exception>
    public void Copy(long count)
    {
        _copies += count;
        if (_copies > CopiesForAnyPickle + (CopiesForEachByte * reader.Position))
        {
            throw new InvalidDataException($"its pickle copies over {CopiesForEachByte} values for each of its bytes, the same ones again and again");
        }
    }

    /// <summary>Counts a tensor.</summary>
    /// <inheritdoc cref="Copy"/>
    public void Tensor()
    {
        if (++_tensors > TensorsForAnyPickle + (reader.Position / BytesForEachTensor))
        {
            throw new InvalidDataException($"its pickle makes {_tensors} tensors of {reader.Position} bytes, the same ones again and again");
        }
    }

    /// <summary>How many names a pickle of this length may give to its tensors, the same tensor counted as often as it has names.</summary>
    public static long MaximumNames(long pickleLength) => TensorsForAnyPickle + (pickleLength / BytesForEachTensor);

    /// <summary>How many characters these names may have.</summary>
    public static long MaximumNameLength(long pickleLength) => CharactersForAnyPickle + (CharactersForEachByte * pickleLength);
}
