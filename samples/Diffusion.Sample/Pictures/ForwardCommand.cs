using System.CommandLine;
using Spectre.Console;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>What a configuration's noise schedule makes of its images: to look at before training.</summary>
internal static class ForwardCommand
{
    private const int DefaultCount = 4;

    private static readonly Option<FileInfo> s_config = new("--config") { Description = "Needed: the configuration whose images and noise schedule are shown." };
    private static readonly Option<string?> s_schedule = new("--schedule") { Description = $"Another noise schedule: {string.Join(", ", NoiseSchedule.Names)}." };
    private static readonly Option<int> s_points = NumberOption.WithDefault("--points", 11, "Images in a row: the image itself, and its noisy versions at timesteps of equal distance up to the last.");

    public static Command Create()
    {
        var command = new Command("forward", "Show images on their way to noise: forward.png has a row for each of the first --count images of a configuration, to look at before training.")
        {
            s_config, s_schedule, s_points, DrawingOptions.Count, DrawingOptions.Seed, DrawingOptions.Out,
        };
        command.SetAction(arguments => ExitCode.Of(() => Run(arguments)));
        return command;
    }

    private static void Run(ParseResult arguments)
    {
        var folder = arguments.GetRequiredValue(DrawingOptions.Out).FullName;
        OutputFolder.ThrowIfUnusable(folder);
        var file = arguments.GetValue(s_config) ?? throw new UsageException("--config is needed, the configuration whose images and noise schedule are shown, such as samples/configs/mnist-quick.json.");
        var options = ConfigurationFile.Load(Path.GetFullPath(IncludedFiles.Find(file.ToString())));
        OutputFolder.ThrowIfAmongImages(folder, options.Data);
        // What a network predicts is of no matter here; velocity goes with every schedule.
        var diffusion = options.Diffusion with { Schedule = arguments.GetValue(s_schedule) ?? options.Diffusion.Schedule, Prediction = Parameterization.Velocity.Name };
        if (diffusion.Validate().FirstOrDefault() is { } mistake)
        {
            throw new UsageException(mistake.Path == nameof(diffusion.Schedule) ? $"--schedule {mistake.Message}" : $"--schedule {diffusion.Schedule}: {mistake}");
        }

        var (schedule, points, count) = (diffusion.CreateSchedule(), arguments.GetValue(s_points), arguments.GetValue(DrawingOptions.Count) ?? DefaultCount);
        if (points < 2 || points > schedule.Timesteps + 1)
        {
            throw new UsageException($"--points must be in [2, {schedule.Timesteps + 1}], the image and the timesteps; it is {points}.");
        }

        DiffusionRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var source = options.Data.Open(ImageCodecs.Of(options.Data));
        if (count < 1 || count > source.Count)
        {
            throw new UsageException($"--count must be in [1, {source.Count}], the images of {source.Name}; it is {count}.");
        }

        SkippedImages.Show(source);
        using var batch = source.Read([.. Enumerable.Range(0, count)]);
        NoiseLevel[] levels = [NoiseLevel.Clean, .. Timesteps(schedule, points - 1).Select(schedule.LevelAt)];
        Show(levels);
        using var noise = NoiseSource.Seeded(arguments.GetValue(DrawingOptions.Seed) ?? options.Sampling.Seed);
        var drawn = noise.Draw(batch.Images.shape, CPU);
        // x_t / √(α² + σ²) is as bright as an image in every schedule.
        var rows = stack([.. levels.Select(level => ForwardProcess.AddNoise(batch.Images, drawn, [level]) / level.Scale)], 1).flatten(0, 1); // [N, P, C, H, W] → [N·P, C, H, W]
        Picture.Save(folder, "forward", rows, points, $"{count} image(s) of {source.Name}, schedule {diffusion.Schedule}, {schedule.Timesteps} timesteps");
    }

    /// <summary>The last timestep, and those before it at equal distances.</summary>
    private static IEnumerable<int> Timesteps(INoiseSchedule schedule, int count) => Enumerable.Range(1, count).Select(i => (int)((long)schedule.Timesteps * i / count) - 1);

    private static void Show(NoiseLevel[] levels)
    {
        var table = new Table().AddColumns("timestep", "alpha", "sigma");
        foreach (var level in levels[1..])
        {
            table.AddRow(FormattableString.Invariant($"{level.Timestep}"), FormattableString.Invariant($"{level.Alpha:F4}"), FormattableString.Invariant($"{level.Sigma:F4}"));
        }

        AnsiConsole.Write(table);
    }
}
