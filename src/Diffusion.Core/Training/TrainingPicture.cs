using System.Buffers.Binary;

namespace Diffusion;

/// <summary>A picture that an observer made of a run, such as a grid of samples: what <see cref="Trainer.Report(TrainingPicture)"/> passes on to all observers.</summary>
public sealed class TrainingPicture
{
    private const int HeaderBytes = 26; // signature, length and name of the first chunk, width, height, depth, colour type

    /// <summary>Makes a picture.</summary>
    /// <param name="step">The step after which it was made, at least 0.</param>
    /// <param name="name">What it shows, in lower case with underscores: <c>preview</c>.</param>
    /// <param name="png">A whole PNG file; not copied.</param>
    /// <exception cref="ArgumentException">The bytes do not begin as a PNG file does, or the name is empty.</exception>
    public TrainingPicture(int step, string name, ReadOnlyMemory<byte> png)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var header = png.Span[..Math.Min(HeaderBytes, png.Length)];
        if (header.Length < HeaderBytes || header[0] != 0x89 || !header[1..].StartsWith("PNG\r\n\u001a\n"u8))
        {
            throw new ArgumentException($"The picture must be a PNG file; it has {png.Length} bytes and another beginning.", nameof(png));
        }

        (Step, Name, Png) = (step, name, png);
        Width = BinaryPrimitives.ReadInt32BigEndian(header[16..]);
        Height = BinaryPrimitives.ReadInt32BigEndian(header[20..]);
        Channels = header[25] switch { 0 => 1, 4 => 2, 6 => 4, _ => 3 };
    }

    /// <summary>The step after which it was made.</summary>
    public int Step { get; }

    /// <summary>What it shows.</summary>
    public string Name { get; }

    /// <summary>The PNG file.</summary>
    public ReadOnlyMemory<byte> Png { get; }

    /// <summary>The width in pixels.</summary>
    public int Width { get; }

    /// <summary>The height in pixels.</summary>
    public int Height { get; }

    /// <summary>1 for grey, 3 for RGB, one more with transparency.</summary>
    public int Channels { get; }
}
