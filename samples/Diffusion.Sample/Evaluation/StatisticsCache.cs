using System.Globalization;
using Diffusion.Evaluation;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Mean and covariance of references, computed once and kept in a folder: each file says what it was made from, and serves nothing else.</summary>
internal static class StatisticsCache
{
    /// <summary>Where a user's caches lie.</summary>
    public static string Default { get; } = Path.Combine(Folder(), "diffusion", "references");

    /// <summary>What statistics are made from: every value of the images, and the features.</summary>
    public static string Source(string features, IImageSource images, CancellationToken cancellation) => $"{images.Count} images of {images.Shape}, values {FileHash.Of(images, cancellation)}; features {features}";

    /// <summary>The statistics that were made from this; <see langword="null"/> where the cache has none.</summary>
    /// <exception cref="InvalidDataException">The file was made from something else, or is damaged.</exception>
    public static FeatureStatistics? Read(string folder, string source, int count)
    {
        var file = FileOf(folder, source);
        if (!File.Exists(file))
        {
            return null;
        }

        var statistics = FeatureStatistics.Read(file);
        if (statistics.Source == source && statistics.Images == count)
        {
            return statistics;
        }

        var message = $"'{file}' is not what its name says: it has statistics of '{statistics.Source}', n = {statistics.Images?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}, and those of '{source}' are needed. Remove it, or give another folder by --cache.";
        statistics.Dispose();
        throw new InvalidDataException(message);
    }

    /// <summary>Keeps statistics, and says where; a folder that cannot be written to is spoken of alone.</summary>
    public static void Write(string folder, FeatureStatistics statistics, string source)
    {
        var file = FileOf(folder, source);
        try
        {
            using var named = new FeatureStatistics(statistics.Mean.clone(), statistics.Covariance.clone(), statistics.Images, source);
            named.Write(file);
            AnsiConsole.MarkupLineInterpolated($"Statistics of the reference are kept in {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]Statistics of the reference are computed anew each time, for they cannot be kept: {e.Message} --cache names another folder.[/]");
        }
    }

    /// <summary>Statistics in a file of the user's, which may be of another program.</summary>
    /// <exception cref="UsageException">They are of other features.</exception>
    public static FeatureStatistics ReadGiven(string file, string features)
    {
        var statistics = FeatureStatistics.Read(file);
        var made = statistics.Source.Split("; features ");
        if (made.Length == 2 && made[1] != features)
        {
            statistics.Dispose();
            throw new UsageException($"'{file}' has statistics of the features {made[1]}, and images are to be compared in {features}.");
        }

        return statistics;
    }

    private static string FileOf(string folder, string source) => Path.Combine(folder, FileHash.OfText(source) + ".npz");

    private static string Folder()
    {
        if (OperatingSystem.IsWindows())
        {
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        }

        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache) ? cache
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Path.Combine(home, ".cache");
    }
}
