using Diffusion.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Transformer blocks over the pixels of an image, which thereby attend to each other and to a context; plus the input.</summary>
/// <remarks>
/// High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3. The group normalisation before the blocks
/// adds 1e-6 to the variance, as that paper's code and diffusers do.
/// </remarks>
internal sealed class SpatialTransformer : nn.Module<Tensor, Tensor, Tensor>
{
    private const double NormEps = 1e-6;

    [ComponentName(Name = "norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "proj_in")]
    private readonly nn.Module<Tensor, Tensor> _projectIn;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<TransformerBlock> _blocks;

    [ComponentName(Name = "proj_out")]
    private readonly nn.Module<Tensor, Tensor> _projectOut;

    /// <summary>Makes the module. All maps start with PyTorch's default, the last one at zero if the options say so.</summary>
    /// <param name="channels">The channels C of the image, in and out, at least 1.</param>
    /// <param name="options">The rest of the shape; the defaults if <see langword="null"/>.</param>
    /// <param name="generator">What the initial values are drawn from. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentException">The options have mistakes, or the groups or heads do not divide the channels.</exception>
    public SpatialTransformer(int channels, SpatialTransformerOptions? options = null, Generator? generator = null)
        : base(nameof(SpatialTransformer))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        Options = options ?? new SpatialTransformerOptions();
        Options.ThrowIfInvalid(nameof(options));
        if (Options.HeadWidth is null && channels % Options.Heads != 0)
        {
            throw new ArgumentException($"Without a head width the number of heads must divide the channels; {Options.Heads} heads do not divide {channels} channels.", nameof(options));
        }

        Channels = channels;
        var headWidth = Options.HeadWidth ?? (channels / Options.Heads);
        var inner = Options.Heads * headWidth;
        _norm = new GroupNorm(Options.NormGroups, channels, NormEps);
        _projectIn = Map(channels, inner);
        _blocks = new([.. Enumerable.Range(0, Options.Layers).Select(_ => new TransformerBlock(inner, Options.ContextChannels, Options.Heads, headWidth, generator))]);
        _projectOut = Map(inner, channels);
        if (Options.ZeroInitialize)
        {
            ZeroInitialization.Apply(_projectOut);
        }

        RegisterComponents();

        nn.Module<Tensor, Tensor> Map(int from, int to) =>
            Options.LinearProjection ? new Linear(from, to, generator: generator) : new Conv2d(from, to, 1, generator: generator);
    }

    /// <summary>The channels of the image.</summary>
    public int Channels { get; }

    /// <summary>The rest of the shape.</summary>
    public SpatialTransformerOptions Options { get; }

    /// <summary>Runs the blocks.</summary>
    /// <param name="images">[B, C, H, W], any H and W; not disposed.</param>
    /// <param name="context">[B, L, D], any L of at least 1; not disposed.</param>
    /// <returns>[B, C, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor images, Tensor context)
    {
        LayerInput.CheckImages(images, Channels, nameof(SpatialTransformer));
        TokenInput.CheckContext(context, images.shape[0], Options.ContextChannels, nameof(SpatialTransformer));
        using var scope = NewDisposeScope();
        var (height, width) = (images.shape[2], images.shape[3]);
        var normalized = _norm.call(images);
        var tokens = Options.LinearProjection ? _projectIn.call(Functional.Tokens(normalized)) : Functional.Tokens(_projectIn.call(normalized)); // [B, C, H, W] → [B, H·W, C]
        foreach (var block in _blocks)
        {
            tokens = block.call(tokens, context);
        }

        var result = Options.LinearProjection ? Functional.Images(_projectOut.call(tokens), height, width) : _projectOut.call(Functional.Images(tokens, height, width)); // [B, H·W, C] → [B, C, H, W]
        return images.Plus(result).MoveToOuterDisposeScope();
    }
}
