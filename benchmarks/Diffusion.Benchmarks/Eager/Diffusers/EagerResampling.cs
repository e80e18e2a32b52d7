using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A 3×3 convolution that halves the image, or follows its doubling by nearest neighbours, under the name of diffusers' <c>Downsample2D</c> and <c>Upsample2D</c>.</summary>
internal sealed class EagerResampling : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "conv")]
    private readonly Conv2d _convolution;

    private readonly bool _doubles;
    private readonly bool _padsBottomRight;

    /// <param name="channels">The channels that enter and leave.</param>
    /// <param name="doubles">Whether the image is doubled, or else halved.</param>
    /// <param name="padsBottomRight">Whether one that halves has its zeros below and to the right alone.</param>
    public EagerResampling(int channels, bool doubles, bool padsBottomRight)
        : base(nameof(EagerResampling))
    {
        (_doubles, _padsBottomRight) = (doubles, !doubles && padsBottomRight);
        _convolution = nn.Conv2d(channels, channels, 3L, stride: doubles ? 1L : 2L, padding: _padsBottomRight ? 0L : 1L);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Twice or half the height and width.</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var input = _doubles ? nn.functional.interpolate(images, scale_factor: [2, 2], mode: InterpolationMode.Nearest)
            : _padsBottomRight ? nn.functional.pad(images, [0, 1, 0, 1])
            : images;
        return _convolution.call(input).MoveToOuterDisposeScope();
    }
}
