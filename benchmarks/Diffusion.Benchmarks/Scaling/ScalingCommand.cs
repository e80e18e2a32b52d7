using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>
/// <c>scaling [--quick] [--seconds N]</c>: time and memory over the batch, the size of the images, the threads and the number of images made. Every point is
/// measured in a process of its own, which ends after N seconds (60 by default); nothing is extrapolated.
/// </summary>
internal static class ScalingCommand
{
    private const double Mebibyte = 1 << 20;
    private const int SampleBatch = 100;

    public static int Run(Arguments arguments)
    {
        var quick = arguments.Flag("--quick");
        var limit = TimeSpan.FromSeconds(arguments.Number("--seconds", 60));
        arguments.End();
        Console.WriteLine($"""
            {Machine.Name}; {Machine.Versions}; {Machine.Date}

            Steps are those of {ReferenceSize.Of(quick).Name}. Each point is a process of its own that may take {limit.TotalSeconds:0} s, its start included. Memory is the most that it needs beyond what it has in use before its network is made;
            the process keeps freed memory. Times of steps are medians of those that fit into 3 s after one to warm up. Images are made by a small network (widths 16 and 32, without attention
            but in the middle) in {ScalingMeasurement.Steps} steps, at most {SampleBatch} at a time, and are all made: no time is extrapolated.
            """);
        int[] threads = quick ? [1] : [1, 2];
        var size = ReferenceSize.Of(quick).Image;
        Print("over the batch", Points(quick ? [1] : [1, 2, 4, 8, 16, 32, 64, 128], batch => new(ScalingKind.TrainStep, batch, size, 0, quick)), threads, limit);
        Print("over the batch", Points(quick ? [1] : [1, 2, 4, 8, 16, 32, 64, 128], batch => new(ScalingKind.ReverseStep, batch, size, 0, quick)), threads, limit);
        Print("over the size of the images", Points(quick ? [8] : [28, 32, 64], side => new(ScalingKind.TrainStep, 4, side, 0, quick)), threads, limit);
        Print("over the images made", Points(quick ? [1] : [1, 10, 100, 1000, 10_000], images => new(ScalingKind.Sampling, Math.Min(images, SampleBatch), size, images, quick)), threads, limit);
        return 0;
    }

    private static IEnumerable<ScalingPoint> Points(IEnumerable<int> values, Func<int, ScalingPoint> point) => values.Select(point);

    private static void Print(string over, IEnumerable<ScalingPoint> points, int[] threads, TimeSpan limit)
    {
        var rows = points.ToList();
        Console.WriteLine($"\n## {rows[0].Kind} {over}\n\n| batch | size | images made | threads | time (ms) | time an image (ms) | peak memory (MiB) |\n|---|---|---|---|---|---|---|");
        foreach (var count in threads)
        {
            foreach (var point in rows)
            {
                Console.WriteLine(Row(point, count, limit));
            }
        }
    }

    private static string Row(ScalingPoint point, int threads, TimeSpan limit)
    {
        var images = point.Images > 0 ? point.Images : point.Batch;
        var head = $"| {point.Batch} | {point.Size} | {(point.Images > 0 ? $"{point.Images}" : "")} | {threads} ";
        if (ChildProcess.Run([ScalingMeasurement.Verb, .. point.ToArguments()], limit, threads) is not { } output)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{head}| more than {limit.TotalSeconds:0} s | | |");
        }

        var (seconds, bytes) = ScalingMeasurement.Parse(output);
        var memory = bytes > 0 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / Mebibyte:0}") : "not measured";
        return string.Create(CultureInfo.InvariantCulture, $"{head}| {1000 * seconds:0.0} | {1000 * seconds / images:0.00} | {memory} |");
    }
}
