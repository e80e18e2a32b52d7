using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The layers of one level on the way down or up, or of the bottom, under the names of diffusers' blocks: residual layers, attentions, a change of size at the end.</summary>
internal sealed class EagerStage : nn.Module
{
    [ComponentName(Name = "resnets")]
    private readonly ModuleList<EagerResnet> _resnets;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<nn.Module> _attentions;

    [ComponentName(Name = "downsamplers")]
    private readonly ModuleList<EagerResampling> _halving;

    [ComponentName(Name = "upsamplers")]
    private readonly ModuleList<EagerResampling> _doubling;

    /// <param name="inputs">The channels that enter each residual layer.</param>
    /// <param name="channels">The channels that leave it.</param>
    /// <param name="attentions">How many attentions there are.</param>
    /// <param name="heads">The heads of each.</param>
    /// <param name="doubles">Whether the image is doubled at the end, or halved; <see langword="null"/> for neither.</param>
    /// <param name="options">The network.</param>
    public EagerStage(IReadOnlyList<int> inputs, int channels, int attentions, int heads, bool? doubles, EagerDiffusersOptions options)
        : base(nameof(EagerStage))
    {
        _resnets = new([.. inputs.Select(input => new EagerResnet(input, channels, options))]);
        _attentions = new([.. Enumerable.Range(0, attentions).Select(_ => Attention())]);
        _halving = new([.. Resampling(false)]);
        _doubling = new([.. Resampling(true)]);
        RegisterComponents();

        nn.Module Attention() => options.ContextChannels is null ? new EagerPixelAttention(channels, heads, options) : new EagerTransformer(channels, heads, options);
        IEnumerable<EagerResampling> Resampling(bool which) => doubles == which ? [new EagerResampling(channels, which, options.PadsBottomRight)] : [];
    }

    public int Count => _resnets.Count;

    /// <summary>A level: a residual layer, then its attention if there is one.</summary>
    public Tensor Layer(int index, Tensor images, Tensor time, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var hidden = _resnets[index].call(images, time);
        return (index < _attentions.Count ? Attend(index, hidden, context) : hidden).MoveToOuterDisposeScope();
    }

    /// <summary>The bottom: a residual layer, then each attention with a residual layer after it.</summary>
    public Tensor Bottom(Tensor images, Tensor time, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var hidden = _resnets[0].call(images, time);
        for (var i = 0; i < _attentions.Count; i++)
        {
            hidden = _resnets[i + 1].call(Attend(i, hidden, context), time);
        }

        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>Half or twice the size; <see langword="null"/> where the stage keeps it.</summary>
    public Tensor? Resample(Tensor images) => _halving.Count > 0 ? _halving[0].call(images) : _doubling.Count > 0 ? _doubling[0].call(images) : null;

    private Tensor Attend(int index, Tensor images, Tensor? context) => _attentions[index] switch
    {
        EagerTransformer transformer => transformer.call(images, context!),
        var pixels => ((EagerPixelAttention)pixels).call(images),
    };
}
