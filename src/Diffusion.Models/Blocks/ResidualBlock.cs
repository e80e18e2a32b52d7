using Diffusion.Kernels;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Norm, activation, 3×3 convolution, the time, norm, activation, 3×3 convolution, plus the input.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B, with the time added after the first convolution. Time as scale
/// and shift: arXiv:2102.09672, section 3.1. Halving or doubling inside, before the first convolution: arXiv:2105.05233, section 3.
/// </remarks>
internal sealed class ResidualBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly GroupNorm _norm1;

    [ComponentName(Name = "conv1")]
    private readonly Conv2d _conv1;

    [ComponentName(Name = "time")]
    private readonly Linear _time;

    [ComponentName(Name = "norm2")]
    private readonly GroupNorm _norm2;

    [ComponentName(Name = "conv2")]
    private readonly Conv2d _conv2;

    [ComponentName(Name = "shortcut")]
    private readonly Conv2d? _shortcut;

    private readonly ResidualPlan _plan;

    /// <summary>Makes the block.</summary>
    /// <param name="inChannels">The channels that enter.</param>
    /// <param name="outChannels">The channels that leave.</param>
    /// <param name="options">Time dimension, norm groups, shortcut, initialisation and the dialect of residual blocks.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public ResidualBlock(int inChannels, int outChannels, UNetOptions options, Generator? generator = null)
        : this(ResidualPlan.Of(options ?? throw new ArgumentNullException(nameof(options)), inChannels, outChannels), generator)
    {
    }

    internal ResidualBlock(ResidualPlan plan, Generator? generator)
        : base(nameof(ResidualBlock))
    {
        _plan = plan;
        var (inChannels, outChannels, eps) = (plan.InChannels, plan.OutChannels, plan.Options.NormEps);
        _norm1 = new GroupNorm(plan.Groups, inChannels, eps);
        _conv1 = new Conv2d(inChannels, outChannels, 3, padding: 1, generator: generator);
        _time = new Linear(plan.TimeDimension, plan.TimeChannels, generator: generator);
        _norm2 = new GroupNorm(plan.Groups, outChannels, eps);
        _conv2 = new Conv2d(outChannels, outChannels, 3, padding: 1, generator: generator);
        _shortcut = plan.ProjectsShortcut ? new Conv2d(inChannels, outChannels, 1, generator: generator) : null;
        if (plan.StartsAtZero)
        {
            ZeroInitialization.Apply(_conv2);
        }

        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, inChannels, H, W].</param>
    /// <param name="time">The activated time embedding, [B or 1, time dimension]: it is the same for all blocks, so it is made once.</param>
    /// <returns>[B, outChannels, H, W].</returns>
    /// <exception cref="ArgumentException">A tensor has another shape.</exception>
    public override Tensor forward(Tensor images, Tensor time)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Run(images, time, 2 * images.size(2), 2 * images.size(3));
    }

    /// <summary>Runs the block; one that doubles the image gives it this height and width.</summary>
    internal Tensor Run(Tensor images, Tensor time, long height, long width)
    {
        LayerInput.CheckImages(images, _plan.InChannels, nameof(ResidualBlock)); // the operations below do not check shapes again
        LayerInput.CheckTime(time, images.size(0), _plan.TimeDimension, nameof(ResidualBlock));
        if (_plan is { Options.Activation: Activation.Silu, Resampling: ResidualResampling.None, OutputScale: 1 } && Functional.ResidualBlock(images, time, Parameters, Rate) is { } output)
        {
            return output;
        }

        using var scope = NewDisposeScope();
        var shift = _time.call(time); // [B, C], or 2·C
        var hidden = Second(First(images, shift, height, width), shift);
        var input = Resample(images, height, width);
        hidden = Functional.Sum(hidden, _shortcut is null ? input : _shortcut.call(input));
        using var scale = _plan.OutputScale.ToScalar();
        return (_plan.OutputScale is 1 ? hidden : hidden / scale).MoveToOuterDisposeScope();
    }

    private ResidualParameters Parameters =>
        new(_norm1.Parameters, _conv1.Parameters, _time.Parameters, _norm2.Parameters, _conv2.Parameters, _shortcut?.Parameters, Scales);

    /// <summary>Norm, activation, change of size, convolution, and the time where it is added.</summary>
    private Tensor First(Tensor images, Tensor shift, long height, long width)
    {
        if (_plan is { Resampling: ResidualResampling.None, Options.Activation: Activation.Silu })
        {
            return Functional.NormSiluConv2d(images, _norm1.Parameters, _conv1.Parameters, Scales ? null : shift);
        }

        var hidden = Functional.NormConv2d(images, _norm1.Parameters, (normed, _) => Resample(Activated(normed), height, width), _conv1.Parameters);
        return Scales ? hidden : Functional.Sum(hidden, Pixels(shift));
    }

    /// <summary>Norm, the time where it scales, activation, dropout, convolution.</summary>
    private Tensor Second(Tensor hidden, Tensor shift)
    {
        if (Rate > 0)
        {
            var normed = _norm2.call(hidden);
            return _conv2.call(Dropout.Of(Activated(Scales ? Modulated(normed, Pixels(shift)) : normed), Rate)); // kept: dropout draws in it
        }

        return Scales ? Functional.NormConv2d(hidden, _norm2.Parameters, (normed, others) => Activated(Modulated(normed, others[0])), _conv2.Parameters, Pixels(shift))
            : _plan.Options.Activation == Activation.Silu ? Functional.NormSiluConv2d(hidden, _norm2.Parameters, _conv2.Parameters)
            : Functional.NormConv2d(hidden, _norm2.Parameters, (normed, _) => Activated(normed), _conv2.Parameters);
    }

    private bool Scales => _plan.Options.TimeInjection == TimeInjection.ScaleShift;

    /// <summary>The part of the values that is dropped now.</summary>
    private double Rate => training ? _plan.Options.Dropout : 0;

    private Tensor Activated(Tensor values) => _plan.Options.Activation.Apply(values);

    private static Tensor Modulated(Tensor normed, Tensor shift)
    {
        var parts = shift.chunk(2, dim: 1); // [B, 2·C, 1, 1] → scale, shift
        return (normed * parts[0].Plus(Scalars.One)).Plus(parts[1]);
    }

    private static Tensor Pixels(Tensor shift) => shift.unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]

    private Tensor Resample(Tensor images, long height, long width) => _plan.Resampling switch
    {
        ResidualResampling.Down => Resize.Halve(images),
        ResidualResampling.Up => Resize.To(images, height, width),
        _ => images,
    };
}
