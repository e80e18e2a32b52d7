using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>Every operation of <see cref="Functional"/>: with channels that kernels take, and with 5 or so that they leave to libtorch.</summary>
internal static class FunctionalCases
{
    private const int TimeDimension = 48;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<FunctionalCase> All { get; } =
    [
        Convolution("convolution 3×3, 32→64", 32, 64, 3, 1, 1) with { OnTiles = true },
        Convolution("convolution 3×3, 5→7", 5, 7, 3, 1, 1),
        Convolution("convolution 3×3 without bias, 32→32", 32, 32, 3, 1, 1, bias: false) with { OnTiles = true },
        Convolution("convolution 3×3 of stride 2, 32→32", 32, 32, 3, 2, 1),
        Convolution("convolution 3×3 of stride 3, 5→16", 5, 16, 3, 3, 1),
        Convolution("convolution 1×1, 32→16", 32, 16, 1, 1, 0) with { OnTiles = true },
        Convolution("convolution 1×1 of stride 2, 5→32", 5, 32, 1, 2, 0),
        Transposed("transposed convolution 4×4 of stride 2, 32→16", 32, 16, 4, 2, 1),
        Transposed("transposed convolution 4×4 of stride 2, 5→3", 5, 3, 4, 2, 1),
        Transposed("transposed convolution 3×3 of stride 4, 16→32", 16, 32, 3, 4, 0),
        Transposed("transposed convolution 1×1 of stride 2, 5→32", 5, 32, 1, 2, 0),
        Linear("linear map, 64→32", 64, 32, ofImages: false) with { OnTiles = true },
        Linear("linear map of pixels, 32→96", 32, 96, ofImages: true) with { OnTiles = true },
        Linear("linear map, 5→7", 5, 7, ofImages: false),
        FeedForward("feed-forward, 32→192→32", 32, 192) with { OnTiles = true },
        FeedForward("feed-forward, 5→14→5", 5, 14),
        Tokens("pixels as tokens, 32", 32) with { OnTiles = true },
        Tokens("pixels as tokens, 5", 5) with { OnTiles = true },
        Pixels("tokens as pixels, 48", 48) with { OnTiles = true },
        Attention("attention of one tensor", AttentionLayout.Joint(2, 8), tensors: 1) with { OnTiles = true },
        Attention("attention of one tensor by heads", AttentionLayout.JointByHead(2, 5), tensors: 1) with { OnTiles = true },
        Attention("attention of three tensors", AttentionLayout.Separate(1, 16), tensors: 3) with { OnTiles = true },
        GroupNorm("group norm of 32 channels", 8, 32),
        GroupNorm("group norm of 5 channels", 1, 5),
        NormedConvolution("norm, SiLU and convolution, 32→64", 32, 64, 8, added: false) with { OnTiles = true },
        NormedConvolution("norm, SiLU and convolution and a sum, 64→32", 64, 32, 8, added: true) with { OnTiles = true },
        NormedConvolution("norm, SiLU and convolution and a sum, 10→5", 10, 5, 2, added: true),
        Recomputed("norm and convolution of stride 2, 32→32", 32, 32),
        Residual("residual block, 32→64", 32, 64, projects: true, modulates: false) with { OnTiles = true },
        Residual("residual block, 32→32", 32, 32, projects: false, modulates: false) with { OnTiles = true },
        Residual("residual block that scales, 32→32", 32, 32, projects: false, modulates: true),
        Residual("residual block, 10→16", 10, 16, projects: true, modulates: false),
        Residual("residual block with dropout, 32→64", 32, 64, projects: true, modulates: false, dropout: 0.3) with { OnTiles = true },
        Residual("residual block with dropout, 48→48", 48, 48, projects: false, modulates: false, dropout: 0.5) with { OnTiles = true },
        Residual("residual block that scales with dropout, 32→32", 32, 32, projects: false, modulates: true, dropout: 0.3),
        SelfAttention("self-attention block of one projection, 32", AttentionLayout.Joint(2, 16), 32, 8, separate: false) with { OnTiles = true },
        SelfAttention("self-attention block of three projections, 48", AttentionLayout.Separate(2, 8), 48, 0, separate: true) with { OnTiles = true },
        SelfAttention("self-attention block, 10", AttentionLayout.JointByHead(1, 10), 10, 2, separate: false),
    ];

    /// <summary>The case of a name.</summary>
    public static FunctionalCase Of(string name) => All.Single(x => x.Name == name);

    private static Func<int, int, int, long[][]> Images(int channels) => (images, height, width) => [[images, channels, height, width]];

    private static FunctionalCase Convolution(string name, int inChannels, int outChannels, int kernel, int stride, int padding, bool bias = true)
    {
        var shape = new ConvolutionShape(inChannels, outChannels, kernel, stride, padding);
        ConvolutionParameters Of(Tensor[] x) => new(x[1], x.ElementAtOrDefault(2), shape);
        return new(
            name, Images(inChannels), (draw, _) => draw.Convolution(inChannels, outChannels, kernel, stride, padding, bias).Tensors(),
            x => Functional.Conv2d(x[0], Of(x)), x => Formulas.Conv2d(x[0], Of(x)));
    }

    private static FunctionalCase Transposed(string name, int inChannels, int outChannels, int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(inChannels, outChannels, kernel, stride, padding);
        ConvolutionParameters Of(Tensor[] x) => new(x[1], x[2], shape);
        return new(
            name, Images(inChannels), (draw, _) => draw.Convolution(inChannels, outChannels, kernel, stride, padding, transposed: true).Tensors(),
            x => Functional.ConvTranspose2d(x[0], Of(x)), x => Formulas.ConvTranspose2d(x[0], Of(x)));
    }

    private static FunctionalCase Linear(string name, int inFeatures, int outFeatures, bool ofImages)
    {
        Tensor Tokens(Tensor x) => ofImages ? x.flatten(2).transpose(1, 2) : x; // [B, C, H, W] → [B, H·W, C]
        return new(
            name,
            (images, height, width) => [ofImages ? [images, inFeatures, height, width] : [images, height * width, inFeatures]],
            (draw, _) => draw.Linear(inFeatures, outFeatures).Tensors(),
            x => Functional.Linear(Tokens(x[0]), new(x[1], x[2])),
            x => Formulas.Linear(Tokens(x[0]), new(x[1], x[2])));
    }

    private static FunctionalCase FeedForward(string name, int features, int hidden) => new(
        name,
        (images, height, width) => [[images, height * width, features]],
        (draw, _) => [.. draw.Linear(features, 2 * hidden).Tensors(), .. draw.Linear(hidden, features).Tensors()],
        x => Functional.FeedForward(x[0], new(x[1], x[2]), new(x[3], x[4])),
        x => Formulas.FeedForward(x[0], new(x[1], x[2]), new(x[3], x[4])))
    {
        Roundings = 2,
    };

    private static FunctionalCase Tokens(string name, int channels) => new(name, Images(channels), (_, _) => [], x => Functional.Tokens(x[0]), x => x[0].flatten(2).transpose(1, 2));

    private static FunctionalCase Pixels(string name, int channels) => new(
        name, (images, height, width) => [[images, height * width, channels]], (_, _) => [], x => Functional.Images(x[0], 1, x[0].size(1)), x => x[0].transpose(1, 2).unsqueeze(2));

    private static FunctionalCase Attention(string name, AttentionLayout layout, int tensors) => new(
        name,
        (images, height, width) => [.. Enumerable.Range(0, tensors).Select(i => new long[] { images, (height * width) + (i == 0 ? 0 : 3), 3 / tensors * layout.Inner })], // more keys than queries
        (_, _) => [],
        x => Functional.Attention(layout, x),
        x => Formulas.Attention(layout, x))
    {
        Attends = true,
    };

    private static FunctionalCase GroupNorm(string name, int groups, int channels)
    {
        NormParameters Of(Tensor[] x) => new(x[1], x[2], groups, channels, 1e-5);
        return new(name, Images(channels), (draw, _) => draw.Norm(groups, channels).Tensors(), x => Functional.GroupNorm(x[0], Of(x)), x => Formulas.GroupNorm(x[0], Of(x)));
    }

    private static FunctionalCase NormedConvolution(string name, int inChannels, int outChannels, int groups, bool added)
    {
        var shape = new ConvolutionShape(inChannels, outChannels, 3, 1, 1);
        NormParameters Norm(Tensor[] x) => new(x[1], x[2], groups, inChannels, 1e-5);
        ConvolutionParameters Then(Tensor[] x) => new(x[3], x[4], shape);
        return new(
            name,
            Images(inChannels),
            (draw, images) => [.. draw.Norm(groups, inChannels).Tensors(), .. draw.Convolution(inChannels, outChannels, 3, 1, 1).Tensors(), .. added ? new[] { draw.Draw(images, outChannels).requires_grad_() } : []],
            x => Functional.NormSiluConv2d(x[0], Norm(x), Then(x), x.ElementAtOrDefault(5)),
            x => Formulas.NormSiluConv2d(x[0], Norm(x), Then(x), x.ElementAtOrDefault(5)));
    }

    private static FunctionalCase Recomputed(string name, int inChannels, int outChannels)
    {
        var shape = new ConvolutionShape(inChannels, outChannels, 3, 2, 1);
        NormParameters Norm(Tensor[] x) => new(x[1], x[2], 8, inChannels, 1e-5);
        ConvolutionParameters Then(Tensor[] x) => new(x[3], x[4], shape);
        return new(
            name,
            Images(inChannels),
            (draw, _) => [.. draw.Norm(8, inChannels).Tensors(), .. draw.Convolution(inChannels, outChannels, 3, 2, 1).Tensors()],
            x => Functional.NormConv2d(x[0], Norm(x), static (normed, _) => nn.functional.relu(normed), Then(x)),
            x => Formulas.Conv2d(nn.functional.relu(Formulas.GroupNorm(x[0], Norm(x))), Then(x)));
    }

    private static FunctionalCase Residual(string name, int inChannels, int outChannels, bool projects, bool modulates, double dropout = 0)
    {
        using var generator = new Generator(1, CPU);
        var groups = inChannels % 8 == 0 ? 8 : 2;
        var layers = new Parameters(generator).Residual(inChannels, outChannels, groups, TimeDimension, projects, modulates); // its numbers count
        ResidualParameters Of(Tensor[] x) => layers.With(x[2..]);
        return new(
            name,
            Images(inChannels),
            (draw, images) => [draw.Draw(images, TimeDimension).requires_grad_(), .. draw.Residual(inChannels, outChannels, groups, TimeDimension, projects, modulates).Tensors()],
            x => Drawn(() => Functional.ResidualBlock(x[0], x[1], Of(x), dropout) ?? LayerByLayer(x[0], x[1], Of(x), dropout)),
            x => Drawn(() => Formulas.ResidualBlock(x[0], x[1], Of(x), dropout > 0 ? DropoutMask.Draw([x[0].size(0), outChannels, x[0].size(2), x[0].size(3)], dropout, CPU) : null)))
        {
            Roundings = 2,
        };
    }

    private static FunctionalCase SelfAttention(string name, AttentionLayout layout, int channels, int groups, bool separate)
    {
        using var generator = new Generator(1, CPU);
        var layers = new Parameters(generator).Attention(layout, channels, groups, separate);
        return new(
            name,
            Images(channels),
            (draw, _) => draw.Attention(layout, channels, groups, separate).Tensors(),
            x => Functional.SelfAttention(x[0], layers.With(x[1..])),
            x => Formulas.SelfAttention(x[0], layers.With(x[1..])))
        {
            Roundings = 2,
            Attends = true,
        };
    }

    /// <summary>A residual block as the module calls its layers.</summary>
    private static Tensor LayerByLayer(Tensor images, Tensor time, ResidualParameters layers, double dropout)
    {
        var shift = Functional.Linear(time, layers.Time);
        var hidden = Functional.NormSiluConv2d(images, layers.Norm1, layers.Conv1, layers.Modulates ? null : shift);
        hidden = dropout > 0 ? Functional.Conv2d(Dropout.Of(Activated(Functional.GroupNorm(hidden, layers.Norm2)), dropout), layers.Conv2)
            : layers.Modulates
            ? Functional.NormConv2d(hidden, layers.Norm2, static (normed, others) => nn.functional.silu((normed * (1 + others[0].chunk(2, dim: 1)[0])) + others[0].chunk(2, dim: 1)[1]), layers.Conv2, Formulas.Pixels(shift))
            : Functional.NormSiluConv2d(hidden, layers.Norm2, layers.Conv2);
        return hidden + (layers.Shortcut is { } shortcut ? Functional.Conv2d(images, shortcut) : images);

        Tensor Activated(Tensor normed) => nn.functional.silu(layers.Modulates ? (normed * (1 + Formulas.Pixels(shift).chunk(2, dim: 1)[0])) + Formulas.Pixels(shift).chunk(2, dim: 1)[1] : normed);
    }

    /// <summary>Runs with the same seeds each time.</summary>
    private static Tensor Drawn(Func<Tensor> run)
    {
        using var seeds = LayerSeeds.OfStep(3, firstImage: 1);
        return run();
    }
}
