namespace Diffusion.Models;

/// <summary>Counts what the blocks of a plan cost.</summary>
internal static class UNetCosts
{
    private const int ContextTokens = 77; // as many as CLIP's text model gives

    public static IEnumerable<UNetSummaryRow> Rows(UNetPlan plan)
    {
        var options = plan.Options;
        yield return Row("conv_in", plan.Stem, plan.Height, plan.Width, LayerCost.Convolution(plan.InChannels, plan.Stem, 3, Pixels(plan.Height, plan.Width)));
        yield return Row("time", options.TimeDimension, 1, 1, Time(options));
        if (options.Dialect.Labels is { } labels)
        {
            yield return Row("labels", options.TimeDimension, 1, 1, Labels(labels, options));
        }

        for (var i = 0; i < plan.Down.Count; i++)
        {
            var block = plan.Down[i];
            var (height, width) = block.Resamples ? (UNetPlan.Half(options, i, block.Height), UNetPlan.Half(options, i, block.Width)) : (block.Height, block.Width);
            yield return Row($"down.{i}", block.Channels, height, width, Layers(block) + Down(block, Pixels(height, width)));
        }

        for (var i = 0; i < plan.Mid.Count; i++)
        {
            yield return Row($"mid.{i}", plan.Mid[i].Channels, plan.Mid[i].Height, plan.Mid[i].Width, Layers(plan.Mid[i]));
        }

        for (var i = 0; i < plan.Up.Count; i++)
        {
            var block = plan.Up[i];
            var opposite = plan.Up.Count - 1 - i;
            var below = Pixels(UNetPlan.Half(options, opposite, block.Height), UNetPlan.Half(options, opposite, block.Width));
            yield return Row($"up.{i}", block.Channels, block.Height, block.Width, Layers(block) + Up(block, below));
        }

        yield return Row(
            "conv_out",
            plan.OutChannels,
            plan.Height,
            plan.Width,
            LayerCost.Norm(plan.LastChannels) + LayerCost.Convolution(plan.LastChannels, plan.OutChannels, 3, Pixels(plan.Height, plan.Width)));
    }

    private static UNetSummaryRow Row(string name, int channels, int height, int width, LayerCost cost) =>
        new(name, new ImageShape(channels, height, width), cost.Parameters, cost.MultiplyAdds);

    private static long Pixels(long height, long width) => height * width;

    private static LayerCost Time(UNetOptions options)
    {
        var (time, dimension) = (options.Dialect.Time, options.TimeDimension);
        var width = time.Width ?? dimension;
        var waves = time.Kind switch
        {
            TimeEmbeddingKind.Table => new LayerCost((long)time.Steps * width, 0),
            TimeEmbeddingKind.Fourier => new LayerCost(width / 2, 0),
            _ => default,
        };
        return waves + LayerCost.Linear(width, dimension) + LayerCost.Linear(dimension, dimension);
    }

    private static LayerCost Labels(LabelOptions labels, UNetOptions options)
    {
        var dimension = options.TimeDimension;
        return labels.Kind switch
        {
            LabelKind.Table => new LayerCost((long)labels.Classes * dimension, 0),
            LabelKind.Timestep => LayerCost.Linear(options.Dialect.Time.Width ?? dimension, dimension) + LayerCost.Linear(dimension, dimension),
            _ => default,
        };
    }

    private static LayerCost Layers(BlockPlan block)
    {
        var (cost, pixels) = (default(LayerCost), Pixels(block.Height, block.Width));
        for (var i = 0; i < block.Residuals; i++)
        {
            cost += LayerCost.Residual(block.Residual(i), pixels);
        }

        for (var i = 0; i < block.Attentions; i++)
        {
            cost += block.Transformer() is { } transformer
                ? LayerCost.Transformer(block.Channels, transformer, pixels, ContextTokens)
                : LayerCost.Attention(block.Attention(), pixels);
        }

        return cost;
    }

    private static LayerCost Down(BlockPlan block, long below) => !block.Resamples ? default : block.Downsampling switch
    {
        Downsampling.Convolution3 or Downsampling.Convolution3BottomRight => LayerCost.Convolution(block.Channels, block.Channels, 3, below),
        Downsampling.Convolution4 => LayerCost.Convolution(block.Channels, block.Channels, 4, below),
        Downsampling.Residual => LayerCost.Residual(block.Resampler(ResidualResampling.Down), below),
        _ => default,
    };

    private static LayerCost Up(BlockPlan block, long below) => !block.Resamples ? default : block.Upsampling switch
    {
        Upsampling.Nearest => LayerCost.Convolution(block.InChannels, block.InChannels, 3, Pixels(block.Height, block.Width)),
        Upsampling.Transposed => LayerCost.Convolution(block.InChannels, block.InChannels, 4, below),
        Upsampling.Residual => LayerCost.Residual(block.Resampler(ResidualResampling.Up), Pixels(block.Height, block.Width)),
        _ => default,
    };
}
