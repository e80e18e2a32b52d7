namespace Diffusion.Models;

/// <summary>Finds every mistake of a block list before anything is allocated.</summary>
internal sealed class UNetValidation
{
    private readonly List<OptionsError> _errors = [];
    private readonly UNetOptions _options;

    private UNetValidation(UNetOptions options) => _options = options;

    public static IEnumerable<OptionsError> Errors(UNetOptions options)
    {
        var validation = new UNetValidation(options);
        validation.Network();
        validation.Time();
        validation.Blocks(options.Down, nameof(options.Down), minLayers: 1);
        validation.Blocks(options.Mid, nameof(options.Mid), minLayers: 0);
        validation.Blocks(options.Up, nameof(options.Up), minLayers: 1);
        validation.Mid();
        validation.Context();
        validation.Opposites();
        validation.Halvings();
        return validation._errors;
    }

    private void Network()
    {
        var options = _options;
        Check(options.Image.Channels >= 1 && options.Image.Height >= 1 && options.Image.Width >= 1, nameof(options.Image), $"must have at least one channel and pixel; it is {options.Image}.");
        var (height, width, patch) = (options.Image.Height, options.Image.Width, options.Dialect.PatchSize);
        Check(patch >= 1 && height % Math.Max(1, patch) == 0 && width % Math.Max(1, patch) == 0, $"{nameof(options.Dialect)}.{nameof(options.Dialect.PatchSize)}", $"must be at least 1 and divide the image's {height}×{width} pixels; it is {patch}.");
        Check(options.Down.Count > 0, nameof(options.Down), "must have at least one block; it is empty.");
        Check(options.Up.Count == 0 || options.Up.Count == options.Down.Count, nameof(options.Up), $"must be empty or have one block for each of the {options.Down.Count} down blocks; it has {options.Up.Count}.");
        Check(options.NormGroups >= 1, nameof(options.NormGroups), $"must be at least 1; it is {options.NormGroups}.");
        Defined(options.Downsampling, nameof(options.Downsampling));
        Defined(options.Upsampling, nameof(options.Upsampling));
        Width(options.StemChannels ?? options.NormGroups, nameof(options.StemChannels));
        _errors.AddRange(options.Dialect.Validate().Select(error => error.Under(nameof(options.Dialect))));
    }

    private void Time()
    {
        var (time, dimension) = (_options.Dialect.Time, _options.TimeDimension);
        var halved = time.Width is null && time.Kind != TimeEmbeddingKind.Table;
        Check(
            halved ? dimension >= 2 && dimension % 2 == 0 : dimension >= 1,
            nameof(_options.TimeDimension),
            $"must be {(halved ? "even and at least 2" : "at least 1")}; it is {dimension}.");
        Check(
            !halved || time.Kind != TimeEmbeddingKind.Sinusoidal || dimension < 2 || time.FrequencyShift < dimension / 2,
            $"{nameof(_options.Dialect)}.{nameof(_options.Dialect.Time)}.{nameof(time.FrequencyShift)}",
            FormattableString.Invariant($"must be below half of {nameof(_options.TimeDimension)}, {dimension}; it is {time.FrequencyShift}."));
    }

    private void Blocks(IReadOnlyList<IBlockOptions> blocks, string list, int minLayers)
    {
        var attention = _options.Dialect.Attention;
        for (var i = 0; i < blocks.Count; i++)
        {
            var (block, path) = (blocks[i], $"{list}[{i}]");
            Width(block.Channels, $"{path}.{nameof(block.Channels)}", Place(list, i));
            Check(block.Layers >= minLayers, $"{path}.{nameof(block.Layers)}", $"must be at least {minLayers}; it is {block.Layers}.");
            if (!block.Attention)
            {
                continue;
            }

            Check(
                attention.HeadWidth is not null || (block.Heads >= 1 && block.Channels % block.Heads == 0),
                $"{path}.{nameof(block.Heads)}",
                $"must divide the block's {block.Channels} channels; it is {block.Heads}.");
            Check(
                attention.HeadWidth is not { } width || width <= block.Channels,
                $"{path}.{nameof(block.Channels)}",
                $"must hold at least one head of {nameof(attention.HeadWidth)}, {attention.HeadWidth}; it is {block.Channels}.");
            var groups = (block as MidBlockOptions)?.AttentionGroups ?? attention.NormGroups ?? 0;
            Check(groups < 1 || block.Channels % groups == 0, $"{path}.{nameof(block.Channels)}", $"must be a multiple of the {groups} groups before its self-attention; it is {block.Channels}.");
        }
    }

    private void Mid()
    {
        for (var i = 0; i < _options.Mid.Count; i++)
        {
            var (block, path) = (_options.Mid[i], $"{nameof(_options.Mid)}[{i}]");
            Check(block.AttentionGroups is not < 0, $"{path}.{nameof(block.AttentionGroups)}", $"must be at least 0; it is {block.AttentionGroups}.");
            Check(
                block.OutputScale is not { } scale || (scale > 0 && double.IsFinite(scale)),
                $"{path}.{nameof(block.OutputScale)}",
                FormattableString.Invariant($"must be above 0; it is {block.OutputScale}."));
        }
    }

    private void Context()
    {
        IEnumerable<IBlockOptions> blocks = [.. _options.Down, .. _options.Mid, .. _options.Up];
        Check(
            _options.Dialect.Context is null || blocks.Any(block => block is { Attention: true, Layers: > 0 }),
            $"{nameof(_options.Dialect)}.{nameof(_options.Dialect.Context)}",
            "needs a block with attention, without which it has no effect; there is none.");
    }

    private void Opposites()
    {
        for (var i = 0; i < _options.Up.Count && _options.Up.Count == _options.Down.Count; i++)
        {
            var (block, opposite) = (_options.Up[i], _options.Down.Count - 1 - i);
            var (path, halves) = ($"{nameof(_options.Up)}[{i}]", UNetPlan.Halves(_options, opposite));
            Check(
                block.Upsample is not { } doubles || doubles == halves,
                $"{path}.{nameof(block.Upsample)}",
                $"must be {(halves ? "true" : "false")}, as {nameof(_options.Down)}[{opposite}] at the same depth {(halves ? "halves" : "does not halve")} its image; it is {(block.Upsample == true ? "true" : "false")}.");
            Check(
                _options.Dialect.Skips != SkipConnections.Layer || block.Layers == _options.Down[opposite].Layers + 1,
                $"{path}.{nameof(block.Layers)}",
                $"must be {_options.Down[opposite].Layers + 1}, one for each skip connection from {nameof(_options.Down)}[{opposite}] at the same depth; it is {block.Layers}.");
            Defined(block.Upsampling ?? _options.Upsampling, $"{path}.{nameof(block.Upsampling)}");
        }
    }

    private void Halvings()
    {
        var patch = Math.Max(1, _options.Dialect.PatchSize);
        var (height, width) = (_options.Image.Height / patch, _options.Image.Width / patch);
        var whole = $"{height}×{width}{(patch == 1 ? "" : " patches")}";
        for (var (i, halvings) = (0, 0); i < _options.Down.Count && Math.Min(height, width) >= 1; i++)
        {
            Defined(_options.Down[i].Downsampling ?? _options.Downsampling, $"{nameof(_options.Down)}[{i}].{nameof(DownBlockOptions.Downsampling)}");
            if (UNetPlan.Halves(_options, i))
            {
                Check(
                    Math.Min(height, width) >= 2,
                    $"{nameof(_options.Down)}[{i}].{nameof(DownBlockOptions.Downsample)}",
                    $"cannot halve an image of {height}×{width} pixels: {whole} allows {halvings} halvings.");
                (height, width) = (UNetPlan.Half(_options, i, height), UNetPlan.Half(_options, i, width));
                halvings++;
            }
        }
    }

    /// <summary>Where a block is, for messages.</summary>
    private string Place(string list, int i)
    {
        var (down, mid, up) = (_options.Down, _options.Mid, _options.Up);
        var bottom = down.Count - 1;
        var stem = _options.StemChannels ?? (down.Count > 0 ? down[0].Channels : 0);
        var (level, entering) = list switch
        {
            nameof(UNetOptions.Down) => (i, i == 0 ? stem : down[i - 1].Channels),
            nameof(UNetOptions.Mid) => (bottom, i > 0 ? mid[i - 1].Channels : bottom >= 0 ? down[bottom].Channels : 0),
            _ => (bottom - i, i > 0 ? up[i - 1].Channels : mid.Count > 0 ? mid[^1].Channels : bottom >= 0 ? down[bottom].Channels : 0),
        };
        return list == nameof(UNetOptions.Down) && i == 0 && _options.StemChannels is null ? string.Empty : $" (level {level}, where {entering} channels enter)";
    }

    private void Width(int channels, string path, string place = "") =>
        Check(
            channels >= 1 && (_options.NormGroups < 1 || channels % _options.NormGroups == 0),
            path,
            $"must be a positive multiple of {nameof(_options.NormGroups)}, {_options.NormGroups}; it is {channels}{place}.");

    private void Defined<T>(T value, string path)
        where T : struct, Enum => Check(Enum.IsDefined(value), path, $"must be one of {string.Join(", ", Enum.GetNames<T>())}; it is {value}.");

    private void Check(bool right, string path, string message)
    {
        if (!right)
        {
            _errors.Add(new OptionsError(path, message));
        }
    }
}
