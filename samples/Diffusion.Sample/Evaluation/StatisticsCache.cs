using System.Globalization;
using Diffusion.Evaluation;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Mean and covariance of references, computed once and kept in a folder: each file says what it was made from, and serves nothing else.</summary>
internal static class StatisticsCache
{
    /// <summary>Where a user's caches lie; <see langword="null"/> where the system knows no folder of the user's.</summary>
    public static string? Default { get; } = UserCache() is { } folder ? Path.Combine(folder, "diffusion", "references") : null;

    /// <summary>What statistics are made from, as far as it can change a bit of them: every value of the images, what computes, and the features.</summary>
    public static string Source(string features, IImageSource images, CancellationToken cancellation) =>
        $"{images.Count} images of {images.Shape}, values {FileHash.Of(images, cancellation)}; computed by {ComputedBy.Text}; features {features}";

    /// <summary>The statistics that were made from this; <see langword="null"/> where the cache has none.</summary>
    /// <exception cref="InvalidDataException">The file was made from something else, or is damaged.</exception>
    public static FeatureStatistics? Read(string? folder, string source, int count)
    {
        if (folder is null || FileOf(folder, source) is not { } file || !File.Exists(file))
        {
            return null;
        }

        var statistics = Whole(file);
        if (statistics.Source == source && statistics.Images == count)
        {
            return statistics;
        }

        var message = $"'{file}' is not what its name says: it has statistics of '{statistics.Source}', n = {statistics.Images?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}, and those of '{source}' are needed. Remove it, or give another folder by --cache.";
        statistics.Dispose();
        throw new InvalidDataException(message);
    }

    /// <summary>Keeps statistics, and says where; a folder that cannot be written to is spoken of alone.</summary>
    public static void Write(string? folder, FeatureStatistics statistics, string source)
    {
        if (folder is null)
        {
            AnsiConsole.MarkupLine("[yellow]Statistics of the reference are computed anew each time: this system knows no folder of the user's to keep them in. --cache names one.[/]");
            return;
        }

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

    /// <summary>The folder of the user's caches.</summary>
    /// <param name="variable">The value of <c>XDG_CACHE_HOME</c>, which counts where it is a whole path; <see langword="null"/> on Windows, and where there is none.</param>
    /// <param name="home">The user's folder, or on Windows that of local data; empty where the system knows none.</param>
    /// <param name="below">Where caches lie in it; empty for itself.</param>
    /// <returns>A whole path; <see langword="null"/> where there is no such folder.</returns>
    internal static string? FolderOf(string? variable, string home, string below) =>
        variable is { Length: > 0 } && Path.IsPathRooted(variable) ? variable
        : Path.IsPathRooted(home) ? Path.Combine(home, below)
        : null;

    private static string FileOf(string folder, string source) => Path.Combine(folder, FileHash.OfText(source) + ".npz");

    private static FeatureStatistics Whole(string file)
    {
        try
        {
            return FeatureStatistics.Read(file);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{e.Message} It is a file of the cache: remove it, or give another folder by --cache.", e);
        }
    }

    private static string? UserCache() => OperatingSystem.IsWindows()
        ? FolderOf(null, Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "")
        : FolderOf(Environment.GetEnvironmentVariable("XDG_CACHE_HOME"), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
}
