using Diffusion.Evaluation;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Mean and covariance of references, computed once and kept in a folder: each file says what it was made from, and serves nothing else.</summary>
internal static class StatisticsCache
{
    /// <summary>Where a user's caches lie.</summary>
    public static string Default { get; } = Path.Combine(Folder(), "diffusion", "references");

    /// <summary>The statistics of all images of a source, from the cache if they are there.</summary>
    /// <param name="folder">The folder of the cache.</param>
    /// <param name="evaluator">Measures them where they are not.</param>
    /// <param name="features">The name of the features.</param>
    /// <param name="images">The images.</param>
    /// <param name="progress">Told what is measured.</param>
    /// <param name="cancellation">Checked on the way.</param>
    /// <exception cref="InvalidDataException">The file was made from something else, or is damaged.</exception>
    public static FeatureStatistics Find(string folder, Evaluator evaluator, string features, IImageSource images, IProgress<(string What, long Images)> progress, CancellationToken cancellation)
    {
        var source = $"{images.Count} images of {images.Shape}, values {FileHash.Of(images, cancellation)}; features {features}";
        var file = Path.Combine(folder, FileHash.OfText(source) + ".npz");
        if (File.Exists(file))
        {
            return Read(file, source, images.Count);
        }

        var statistics = evaluator.Measure(images, source, progress, cancellation);
        try
        {
            statistics.Write(file);
            AnsiConsole.MarkupLineInterpolated($"Statistics of {images.Name} are kept in {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]Statistics of {images.Name} are computed anew each time, for they cannot be kept: {e.Message} --cache names another folder.[/]");
        }

        return statistics;
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

    private static FeatureStatistics Read(string file, string source, int count)
    {
        var statistics = FeatureStatistics.Read(file);
        if (statistics.Source == source && statistics.Images == count)
        {
            return statistics;
        }

        var message = $"'{file}' is not what its name says: it has statistics of '{statistics.Source}', n = {statistics.Images}, and those of '{source}' are needed. Remove it, or give another folder by --cache.";
        statistics.Dispose();
        throw new InvalidDataException(message);
    }

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
