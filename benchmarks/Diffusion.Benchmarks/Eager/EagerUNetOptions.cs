using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>The settings of the course's network, by the names of its configuration; the defaults are those of <see cref="UNetPresets.Course"/>.</summary>
internal sealed record EagerUNetOptions
{
    public int ImageChannels { get; init; } = 1;

    public IReadOnlyList<int> DownChannels { get; init; } = [32, 64, 128, 256];

    public IReadOnlyList<int> MidChannels { get; init; } = [256, 256, 128];

    public IReadOnlyList<bool> Downsample { get; init; } = [true, true, false];

    public int TimeDimension { get; init; } = 128;

    public int Layers { get; init; } = 2;

    /// <summary>The same network of this library.</summary>
    public UNetOptions Ours(int size) =>
        UNetPresets.Course(new ImageShape(ImageChannels, size, size), DownChannels, MidChannels, Downsample, TimeDimension, Layers, Layers, Layers);
}
