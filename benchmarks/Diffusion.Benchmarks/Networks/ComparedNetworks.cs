using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>The networks that are compared, in the order of the report.</summary>
internal static class ComparedNetworks
{
    public const string Course = "course";
    public const string DdpmCifar10 = "ddpm-cifar10";
    public const string UNet2D64 = "unet2d-64";
    public const string UNet2DCondition = "unet2d-condition";

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [Course, DdpmCifar10, UNet2D64, UNet2DCondition];

    /// <summary>One of them.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="quick">Whether the smallest of its kind is meant.</param>
    /// <exception cref="FormatException">There is no network of this name.</exception>
    public static ComparedNetwork Named(string name, bool quick) => name switch
    {
        Course => CourseNetwork.Of(ReferenceSize.Of(quick)),
        DdpmCifar10 => DiffusersNetwork.Of(name, "DDPM's network for CIFAR-10, 35.7 million parameters, with its dropout", TrainBatch(quick), SampleBatch(quick), DiffusersUNet.Of(quick ? Small(UNetPresets.DdpmCifar10()) : UNetPresets.DdpmCifar10())),
        UNet2D64 => DiffusersNetwork.Of(name, "diffusers' UNet2DModel, 15.7 million parameters, for RGB images of 64×64, attention at 16×16", TrainBatch(quick), SampleBatch(quick), DiffusersUNet.Parse(quick ? NetworkConfigurations.SmallUNet2D : NetworkConfigurations.UNet2D64)),
        UNet2DCondition => DiffusersNetwork.Of(name, "diffusers' UNet2DConditionModel, 17.8 million parameters, for latents of 4×32×32, with attention to 77 vectors of 128", TrainBatch(quick), SampleBatch(quick), DiffusersUNet.Parse(quick ? NetworkConfigurations.SmallUNet2DCondition : NetworkConfigurations.UNet2DCondition)),
        _ => throw new FormatException($"There is no network '{name}' to compare; there are {string.Join(", ", Names)}."),
    };

    /// <summary>Those whose names are given, in the order of the report.</summary>
    /// <param name="names">Names with commas between them; <see langword="null"/> for all.</param>
    /// <exception cref="FormatException">There is no network of one of the names.</exception>
    public static IReadOnlyList<string> Chosen(string? names)
    {
        var given = names?.Split(',', StringSplitOptions.TrimEntries) ?? [.. Names];
        return Array.Find(given, name => !Names.Contains(name)) is { } unknown
            ? throw new FormatException($"There is no network '{unknown}' to compare; there are {string.Join(", ", Names)}.")
            : [.. Names.Where(given.Contains)];
    }

    private static int TrainBatch(bool quick) => quick ? 2 : 16;

    private static int SampleBatch(bool quick) => quick ? 2 : 4;

    /// <summary>The same kind of network at a quarter of the size and with two levels.</summary>
    private static UNetOptions Small(UNetOptions options) => options with
    {
        Image = new ImageShape(3, 8, 8),
        StemChannels = 32,
        Down = [new() { Channels = 32, Layers = 1, Heads = 1 }, new() { Channels = 64, Layers = 1, Attention = true, Heads = 1, Downsample = false }],
        Mid = [new() { Channels = 64, Heads = 1 }],
        TimeDimension = 64,
        Dialect = options.Dialect with { Time = options.Dialect.Time with { Width = 32 } },
    };
}
