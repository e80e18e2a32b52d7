namespace Diffusion.Models;

/// <summary>A block list with every default filled in and every channel and size counted: the one place where channels are kept.</summary>
internal sealed class UNetPlan
{
    private UNetPlan(UNetOptions options, IReadOnlyList<Block> down, IReadOnlyList<Block> mid, IReadOnlyList<Block> up)
    {
        Options = options;
        Down = down;
        Mid = mid;
        Up = up;
    }

    public UNetOptions Options { get; }

    public int Stem => Down[0].InChannels;

    public IReadOnlyList<Block> Down { get; }

    public IReadOnlyList<Block> Mid { get; }

    public IReadOnlyList<Block> Up { get; }

    /// <summary>Fills in a list that has no mistakes.</summary>
    public static UNetPlan Of(UNetOptions options)
    {
        var down = new List<Block>();
        var (channels, height, width) = (options.StemChannels ?? options.Down[0].Channels, options.Image.Height, options.Image.Width);
        for (var i = 0; i < options.Down.Count; i++)
        {
            var block = options.Down[i];
            var halves = Halves(options, i);
            down.Add(new Block(block, channels, 0, halves, height, width));
            channels = block.Channels;
            (height, width) = halves ? (Half(options, height), Half(options, width)) : (height, width);
        }

        var mid = new List<Block>();
        foreach (var block in options.Mid)
        {
            mid.Add(new Block(block, channels, 0, false, height, width));
            channels = block.Channels;
        }

        var up = new List<Block>();
        for (var i = 0; i < down.Count; i++)
        {
            var (opposite, mirrored) = (down[^(i + 1)], options.Down[^(i + 1)]);
            var block = options.Up.Count > 0
                ? options.Up[i]
                : new UpBlockOptions { Channels = opposite.InChannels, Layers = mirrored.Layers, Attention = mirrored.Attention, Heads = mirrored.Heads };
            up.Add(new Block(block, channels, opposite.InChannels, opposite.Resamples, opposite.Height, opposite.Width));
            channels = block.Channels;
        }

        return new UNetPlan(options, down, mid, up);
    }

    /// <summary>Every mistake of a block list, found before anything is allocated.</summary>
    public static IEnumerable<OptionsError> Errors(UNetOptions options)
    {
        var errors = new List<OptionsError>();
        Check(options.Image.Channels >= 1 && options.Image.Height >= 1 && options.Image.Width >= 1, nameof(options.Image), $"must have at least one channel and pixel; it is {options.Image}.");
        Check(options.Down.Count > 0, nameof(options.Down), "must have at least one block; it is empty.");
        Check(options.Up.Count == 0 || options.Up.Count == options.Down.Count, nameof(options.Up), $"must be empty or have one block for each of the {options.Down.Count} down blocks; it has {options.Up.Count}.");
        Check(options.TimeDimension >= 2 && options.TimeDimension % 2 == 0, nameof(options.TimeDimension), $"must be even and at least 2; it is {options.TimeDimension}.");
        Check(options.NormGroups >= 1, nameof(options.NormGroups), $"must be at least 1; it is {options.NormGroups}.");
        Check(Enum.IsDefined(options.Downsampling), nameof(options.Downsampling), $"must be one of {string.Join(", ", Enum.GetNames<Downsampling>())}; it is {options.Downsampling}.");
        Check(Enum.IsDefined(options.Upsampling), nameof(options.Upsampling), $"must be one of {string.Join(", ", Enum.GetNames<Upsampling>())}; it is {options.Upsampling}.");
        Width(options.StemChannels ?? options.NormGroups, nameof(options.StemChannels));
        Blocks(options.Down, nameof(options.Down), leastLayers: 1);
        Blocks(options.Mid, nameof(options.Mid), leastLayers: 0);
        Blocks(options.Up, nameof(options.Up), leastLayers: 1);
        for (var i = 0; i < options.Up.Count && options.Up.Count == options.Down.Count; i++)
        {
            var opposite = options.Down.Count - 1 - i;
            Check(
                options.Up[i].Upsample is not { } doubles || doubles == Halves(options, opposite),
                $"{nameof(options.Up)}[{i}].{nameof(UpBlockOptions.Upsample)}",
                $"must be {(Halves(options, opposite) ? "true" : "false")}, as {nameof(options.Down)}[{opposite}] at the same depth {(Halves(options, opposite) ? "halves" : "does not halve")} its image; it is {(options.Up[i].Upsample == true ? "true" : "false")}.");
        }

        var (height, width) = (options.Image.Height, options.Image.Width);
        for (var i = 0; i < options.Down.Count && Math.Min(height, width) >= 1; i++)
        {
            if (Halves(options, i))
            {
                Check(
                    Math.Min(height, width) >= 2,
                    $"{nameof(options.Down)}[{i}].{nameof(DownBlockOptions.Downsample)}",
                    $"cannot halve an image of {height}×{width} pixels: {options.Image.Height}×{options.Image.Width} allows {i} halvings.");
                (height, width) = (Half(options, height), Half(options, width));
            }
        }

        return errors;

        void Check(bool right, string path, string message)
        {
            if (!right)
            {
                errors.Add(new OptionsError(path, message));
            }
        }

        void Width(int channels, string path) =>
            Check(
                channels >= 1 && (options.NormGroups < 1 || channels % options.NormGroups == 0),
                path,
                $"must be a positive multiple of {nameof(options.NormGroups)}, {options.NormGroups}; it is {channels}.");

        void Blocks(IReadOnlyList<IBlockOptions> blocks, string list, int leastLayers)
        {
            for (var i = 0; i < blocks.Count; i++)
            {
                var (block, path) = (blocks[i], $"{list}[{i}]");
                Width(block.Channels, $"{path}.{nameof(block.Channels)}");
                Check(block.Layers >= leastLayers, $"{path}.{nameof(block.Layers)}", $"must be at least {leastLayers}; it is {block.Layers}.");
                Check(
                    !block.Attention || (block.Heads >= 1 && block.Channels % block.Heads == 0),
                    $"{path}.{nameof(block.Heads)}",
                    $"must divide the block's {block.Channels} channels; it is {block.Heads}.");
            }
        }
    }

    private static bool Halves(UNetOptions options, int block) => options.Down[block].Downsample ?? block < options.Down.Count - 1;

    private static int Half(UNetOptions options, int size) => options.Downsampling == Downsampling.Convolution3 ? (size + 1) / 2 : size / 2;

    /// <summary>A block with what its neighbours decide.</summary>
    /// <param name="Options">The block's own options.</param>
    /// <param name="InChannels">The channels that enter it from the block before.</param>
    /// <param name="SkipChannels">The channels of the skip connection that joins it; 0 for none.</param>
    /// <param name="Resamples">Whether it halves or doubles the image.</param>
    /// <param name="Height">The height its layers work at.</param>
    /// <param name="Width">The width its layers work at.</param>
    internal sealed record Block(IBlockOptions Options, int InChannels, int SkipChannels, bool Resamples, int Height, int Width);
}
