using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Norm, a 1×1 convolution, transformer blocks over the pixels, a 1×1 convolution, plus the input, under the names of diffusers' <c>Transformer2DModel</c>.</summary>
internal sealed class EagerTransformer : nn.Module<Tensor, Tensor, Tensor>
{
    private const double Eps = 1e-6;

    [ComponentName(Name = "norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "proj_in")]
    private readonly Conv2d _in;

    [ComponentName(Name = "transformer_blocks")]
    private readonly ModuleList<EagerTransformerBlock> _blocks;

    [ComponentName(Name = "proj_out")]
    private readonly Conv2d _out;

    public EagerTransformer(int channels, int heads, EagerDiffusersOptions options)
        : base(nameof(EagerTransformer))
    {
        _norm = EagerLayers.Norm(channels, options.Groups, Eps);
        _in = nn.Conv2d(channels, channels, 1L);
        _blocks = new([.. Enumerable.Range(0, options.TransformerLayers).Select(_ => new EagerTransformerBlock(channels, options.ContextChannels!.Value, heads))]);
        _out = nn.Conv2d(channels, channels, 1L);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <param name="context">[B, L, D].</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor context)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        var tokens = _in.call(_norm.call(images)).permute(0, 2, 3, 1).reshape(batch, height * width, channels); // [B, C, H, W] → [B, H·W, C]
        foreach (var block in _blocks)
        {
            tokens = block.call(tokens, context);
        }

        var pixels = tokens.view(batch, height, width, channels).permute(0, 3, 1, 2).contiguous(); // [B, H·W, C] → [B, C, H, W]
        return (_out.call(pixels) + images).MoveToOuterDisposeScope();
    }
}
