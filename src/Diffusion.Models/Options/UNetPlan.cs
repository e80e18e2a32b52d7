namespace Diffusion.Models;

/// <summary>A block list with every default filled in and every channel and size counted: the one place where channels are kept.</summary>
internal sealed class UNetPlan
{
    private UNetPlan(UNetOptions options, IReadOnlyList<BlockPlan> down, IReadOnlyList<BlockPlan> mid, IReadOnlyList<BlockPlan> up)
    {
        Options = options;
        Down = down;
        Mid = mid;
        Up = up;
    }

    public UNetOptions Options { get; }

    /// <summary>The channels that enter the first convolution: those of the image and the extra ones, of every pixel of a patch.</summary>
    public int InChannels => (Options.Image.Channels + Options.Dialect.ExtraChannels) * Options.Dialect.PatchSize * Options.Dialect.PatchSize;

    /// <summary>The channels that leave the last convolution, likewise.</summary>
    public int OutChannels => (Options.Dialect.OutChannels ?? Options.Image.Channels) * Options.Dialect.PatchSize * Options.Dialect.PatchSize;

    /// <summary>The height that the first and the last convolution work at.</summary>
    public int Height => Options.Image.Height / Options.Dialect.PatchSize;

    /// <summary>The width that the first and the last convolution work at.</summary>
    public int Width => Options.Image.Width / Options.Dialect.PatchSize;

    public int Stem => Down[0].InChannels;

    public int LastChannels => Up[^1].Channels;

    public IReadOnlyList<BlockPlan> Down { get; }

    public IReadOnlyList<BlockPlan> Mid { get; }

    public IReadOnlyList<BlockPlan> Up { get; }

    /// <summary>Fills in a list that has no mistakes.</summary>
    public static UNetPlan Of(UNetOptions options)
    {
        var down = new List<BlockPlan>();
        var (channels, height, width) = (options.StemChannels ?? options.Down[0].Channels, options.Image.Height / options.Dialect.PatchSize, options.Image.Width / options.Dialect.PatchSize);
        for (var i = 0; i < options.Down.Count; i++)
        {
            var block = options.Down[i];
            var halves = Halves(options, i);
            down.Add(new BlockPlan(options, block, channels, [], halves, height, width));
            channels = block.Channels;
            (height, width) = halves ? (Half(options, i, height), Half(options, i, width)) : (height, width);
        }

        var mid = new List<BlockPlan>();
        foreach (var block in options.Mid)
        {
            mid.Add(new BlockPlan(options, block, channels, [], false, height, width));
            channels = block.Channels;
        }

        var up = new List<BlockPlan>();
        for (var i = 0; i < down.Count; i++)
        {
            var opposite = down[^(i + 1)];
            var block = options.Up.Count > 0 ? options.Up[i] : Mirror(options, options.Down[^(i + 1)], opposite.InChannels);
            int[] skips = options.Dialect.Skips == SkipConnections.Block
                ? [opposite.InChannels]
                : [.. Enumerable.Repeat(opposite.Channels, opposite.Options.Layers), opposite.InChannels];
            up.Add(new BlockPlan(options, block, channels, skips, opposite.Resamples, opposite.Height, opposite.Width));
            channels = block.Channels;
        }

        return new UNetPlan(options, down, mid, up);
    }

    /// <summary>Whether a down block halves its image.</summary>
    public static bool Halves(UNetOptions options, int block) => options.Down[block].Downsample ?? block < options.Down.Count - 1;

    /// <summary>What a down block makes of a height or width that it halves.</summary>
    public static int Half(UNetOptions options, int block, int size) =>
        (options.Down[block].Downsampling ?? options.Downsampling) == Downsampling.Convolution3 ? (size + 1) / 2 : size / 2;

    private static UpBlockOptions Mirror(UNetOptions options, DownBlockOptions down, int inChannels) => options.Dialect.Skips == SkipConnections.Block
        ? new() { Channels = inChannels, Layers = down.Layers, Attention = down.Attention, Heads = down.Heads }
        : new() { Channels = down.Channels, Layers = down.Layers + 1, Attention = down.Attention, Heads = down.Heads };
}
