using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// Writes an animated GIF, one frame after the other. Grey frames are kept exactly (a palette of 256 greys); an RGB frame is kept exactly
/// where it has at most 256 colours, else it gets the 256 that fit it best, mixed by error diffusion. The file appears, whole, with
/// <see cref="Complete"/>; without it, nothing is left behind.
/// </summary>
public sealed class GifWriter : IDisposable
{
    private readonly string _path;
    private readonly int _delay;
    private readonly int _loops;
    private readonly string _scratchPath;
    private FileStream? _scratch; // the frames so far
    private PixelImage? _first;

    /// <summary>Starts an animation; frames are collected in a temporary file beside the target.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="delay">
    /// How long a frame is shown, from 20 ms to 655.35 s, rounded to 10 ms. (Browsers show frames with shorter delays for 100 ms.)
    /// </param>
    /// <param name="loops">How often the animation is shown, up to 65535; 0, the default, for ever.</param>
    /// <exception cref="ArgumentOutOfRangeException">The delay or the loops are outside their range.</exception>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public GifWriter(string path, TimeSpan delay, int loops = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(loops);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(loops, ushort.MaxValue);
        (_path, _delay, _loops) = (Path.GetFullPath(path), Hundredths(delay, nameof(delay)), loops);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        _scratchPath = AtomicFile.TemporaryFor(_path);
        _scratch = new FileStream(_scratchPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16);
    }

    /// <summary>The number of frames so far.</summary>
    public int Frames { get; private set; }

    /// <summary>Adds a frame.</summary>
    /// <param name="frame">The frame, of the same size and channels as the first one; at most 65535 pixels wide and high.</param>
    /// <exception cref="ArgumentException">The frame has another size than the first one.</exception>
    /// <exception cref="InvalidOperationException">The animation is complete.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Add(PixelImage frame) => Add(frame, _delay);

    /// <summary>Adds a frame that is shown for another time than the others: the last one, for example.</summary>
    /// <param name="frame">The frame, of the same size and channels as the first one; at most 65535 pixels wide and high.</param>
    /// <param name="delay">How long it is shown, from 20 ms to 655.35 s, rounded to 10 ms.</param>
    /// <exception cref="ArgumentException">The frame has another size than the first one, or the delay is outside its range.</exception>
    /// <exception cref="InvalidOperationException">The animation is complete.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Add(PixelImage frame, TimeSpan delay) => Add(frame, Hundredths(delay, nameof(delay)));

    /// <summary>Adds a grid of images as a frame; one image is a grid of one.</summary>
    /// <param name="images">[N, C, H, W] with C 1 or 3, any floating type, any device; clamped to [−1, 1].</param>
    /// <param name="columns">The most images in a row, at least 1.</param>
    /// <param name="padding">The space around and between the images, in pixels of the result, at least 0; 2 by default.</param>
    /// <param name="scale">How many pixels wide and high each pixel of an image becomes (repeated, not smoothed), at least 1; 1 by default.</param>
    /// <param name="background">The grey of the space and of empty cells, from 0 (black, the default) to 255 (white).</param>
    /// <exception cref="ArgumentException">
    /// The images are not as <see cref="ImageGrid"/> wants them, or the grid has another size than the first one.
    /// </exception>
    /// <exception cref="InvalidOperationException">The animation is complete.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Add(Tensor images, int columns, int padding = 2, int scale = 1, byte background = 0) =>
        Add(ImageGrid.Compose(images, columns, padding, scale, background));

    /// <summary>Writes the file. No more frames can be added.</summary>
    /// <exception cref="InvalidOperationException">There are no frames, or the animation is complete already.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Complete()
    {
        var scratch = Open();
        if (_first is null)
        {
            throw new InvalidOperationException($"The animation {_path} has no frames; it needs at least one.");
        }

        AtomicFile.Write(_path, stream =>
        {
            GifFormat.WriteStart(stream, _first.Width, _first.Height, _loops, hasGreyFrames: _first.Channels == 1);
            scratch.Position = 0;
            scratch.CopyTo(stream);
            GifFormat.WriteEnd(stream);
        });
        Dispose();
    }

    /// <summary>Ends the work on the animation; if it is not complete, no file is written.</summary>
    public void Dispose()
    {
        if (_scratch is not { } scratch)
        {
            return;
        }

        _scratch = null;
        try
        {
            scratch.Dispose();
        }
        catch (IOException)
        {
            // a full disk, which took no more of a file that is not needed any more
        }

        AtomicFile.TryDelete(_scratchPath);
    }

    private void Add(PixelImage frame, int hundredths)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var scratch = Open();
        CheckSize(frame);
        _first ??= frame;
        var palette = frame.Channels == 1 ? null : ColorPalette.Of(frame);
        var indices = palette is null ? frame.Pixels : palette.Indices;
        try
        {
            GifFormat.WriteFrame(scratch, frame.Width, frame.Height, hundredths, palette?.Table, indices);
        }
        catch
        {
            Dispose(); // a half frame makes all that follows unreadable
            throw;
        }

        Frames++;
    }

    private FileStream Open() => _scratch
        ?? throw new InvalidOperationException($"The animation {_path} is complete or disposed; it takes no more frames.");

    private void CheckSize(PixelImage frame)
    {
        if (frame.Width > ushort.MaxValue || frame.Height > ushort.MaxValue)
        {
            throw new ArgumentException(
                $"frame is {frame.Width}×{frame.Height}; a GIF is at most {ushort.MaxValue} pixels wide and high.", nameof(frame));
        }

        if (_first is not null && (frame.Width, frame.Height, frame.Channels) != (_first.Width, _first.Height, _first.Channels))
        {
            throw new ArgumentException(
                $"frame is {frame.Channels}×{frame.Height}×{frame.Width}; "
                + $"the first one is {_first.Channels}×{_first.Height}×{_first.Width}, and all must be alike.",
                nameof(frame));
        }
    }

    private static int Hundredths(TimeSpan delay, string name)
    {
        var hundredths = Math.Round(delay.TotalMilliseconds / 10);
        return hundredths is >= 2 and <= ushort.MaxValue
            ? (int)hundredths
            : throw new ArgumentOutOfRangeException(
                name, delay, FormattableString.Invariant($"{name} is {delay.TotalMilliseconds} ms; it must be from 20 ms to 655350 ms."));
    }
}
