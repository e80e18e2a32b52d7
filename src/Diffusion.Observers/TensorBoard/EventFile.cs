using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Diffusion.Observers;

/// <summary>A file of TensorBoard events: records of a length, its checksum, an event and its checksum, appended at once.</summary>
/// <remarks>
/// The record format of TFRecord: CRC-32C, rotated right by 15 bits, plus a constant. TorchSharp's own writer gives events a wall time in ticks, rounded to a float, opens
/// the file anew for each number, takes pictures as tensors only and cannot say that a run goes on from an earlier step (docs/decisions/0006-tensorboard-events.md).
/// </remarks>
internal sealed class EventFile : IDisposable
{
    private const uint ChecksumMask = 0xa282ead8;

    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    /// <summary>Makes a new file in a folder. Files are read in the order of their names, which begin with the time.</summary>
    public EventFile(string folder, int firstStep, TimeProvider clock)
    {
        Directory.CreateDirectory(folder);
        _clock = clock;
        _stream = Create(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{clock.GetUtcNow().ToUnixTimeSeconds():D10}.{firstStep:D8}")));
        Write(EventEncoding.Version(Time));
        Write(EventEncoding.Restart(Time, firstStep)); // what earlier files have of these steps is done again
    }

    private double Time => (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    public void Write(int step, IReadOnlyList<(string Name, double Value)> scalars) => Write(EventEncoding.Scalars(Time, step, scalars));

    public void Write(TrainingPicture picture) => Write(EventEncoding.Picture(Time, picture));

    public void Dispose() => _stream.Dispose();

    private static FileStream Create(string path)
    {
        for (var i = 0; ; i++)
        {
            var name = i == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path}.{i}");
            try
            {
                return new FileStream(name, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            }
            catch (IOException) when (File.Exists(name))
            {
                // begun in the same second: the next name
            }
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var each in bytes)
        {
            crc = BitOperations.Crc32C(crc, each);
        }

        return BitOperations.RotateRight(~crc, 15) + ChecksumMask;
    }

    private void Write(byte[] content)
    {
        var record = new byte[content.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(record, content.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Checksum(record.AsSpan(0, 8)));
        content.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + content.Length), Checksum(content));
        _stream.Write(record);
    }
}
