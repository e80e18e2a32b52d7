using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Statistics as an archive of NumPy arrays.</summary>
internal static class StatisticsFile
{
    private const string MeanName = "mu";
    private const string CovarianceName = "sigma";
    private const string CountName = "image_count";
    private const string SourceName = "image_source";

    // The first day that a zip can have: the same statistics give the same bytes.
    private static readonly DateTimeOffset s_time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static FeatureStatistics Read(string path)
    {
        using var file = NpzFile.Open(path);
        var mean = file.Read(MeanName, array => array.Header.Shape is [>= 1 and <= FeatureStatistics.MaxFeatures] ? array.Floats() : throw Shape(array, $"[D] is needed, D from 1 to {FeatureStatistics.MaxFeatures}"));
        var (covariance, type) = file.Read(CovarianceName, array => array.Header.Shape is [var rows, var columns] && rows == mean.Length && columns == mean.Length
            ? (array.Floats(), array.Header.Size switch { 2 => ScalarType.Float16, 4 => ScalarType.Float32, _ => ScalarType.Float64 }) : throw Shape(array, $"[{mean.Length}, {mean.Length}] is needed, as '{MeanName}' has {mean.Length}"));
        long? images = file.TryRead(CountName, array => array.Integer() is >= 1 and var count ? count : throw new InvalidDataException("a set has at least 1 image"), out var given) ? given : null;
        var source = file.TryRead(SourceName, array => array.Text() is { } text && !string.IsNullOrWhiteSpace(text) ? text : throw new InvalidDataException("it says nothing"), out var said) ? said : Path.GetFileName(path);
        return Matrix.Problem(mean, covariance, mean.Length, FeatureStatistics.MaxAsymmetry, FeatureStatistics.Smallest(type)) is { } problem
            ? throw new InvalidDataException($"'{path}' cannot be read: '{MeanName}' and '{CovarianceName}' are no statistics: {problem}.")
            : new(mean, covariance, images, source, type);
    }

    public static void Write(string path, FeatureStatistics statistics)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream =>
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            var d = statistics.Features;
            Write(archive, MeanName, NpyHeader.Write("<f8", d), file => Write(file, statistics.Means));
            Write(archive, CovarianceName, NpyHeader.Write("<f8", d, d), file => Write(file, statistics.Covariances));
            if (statistics.Images is { } images)
            {
                var bytes = new byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(bytes, images);
                Write(archive, CountName, NpyHeader.Write("<i8"), file => file.Write(bytes));
            }

            var text = new UTF32Encoding(bigEndian: false, byteOrderMark: false).GetBytes(statistics.Source);
            Write(archive, SourceName, NpyHeader.Write($"<U{text.Length / 4}"), file => file.Write(text));
        });
    }

    private static void Write(ZipArchive archive, string name, byte[] header, Action<Stream> write)
    {
        var entry = archive.CreateEntry(name + ".npy", CompressionLevel.NoCompression);
        entry.LastWriteTime = s_time;
        using var file = entry.Open();
        file.Write(header);
        write(file);
    }

    private static void Write(Stream file, ReadOnlySpan<double> values)
    {
        var block = new byte[1 << 16];
        for (; values.Length > 0; values = values[Math.Min(values.Length, block.Length / sizeof(double))..])
        {
            var count = Math.Min(values.Length, block.Length / sizeof(double));
            for (var i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteDoubleLittleEndian(block.AsSpan(i * sizeof(double)), values[i]);
            }

            file.Write(block, 0, count * sizeof(double));
        }
    }

    private static InvalidDataException Shape(NpyReader array, string needed) => new($"it has the shape [{string.Join(", ", array.Header.Shape)}]; {needed}");
}
