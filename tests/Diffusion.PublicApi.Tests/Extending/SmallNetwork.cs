using Diffusion.Models;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>A class-conditional network: a residual block and self-attention. The label after the last class is the null label.</summary>
internal sealed class SmallNetwork : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
{
    [ComponentName(Name = "time")] private readonly nn.Module<Tensor, Tensor> _time;
    [ComponentName(Name = "labels")] private readonly nn.Module<Tensor, Tensor> _labels;
    [ComponentName(Name = "first")] private readonly nn.Module<Tensor, Tensor> _first;
    [ComponentName(Name = "block")] private readonly nn.Module<Tensor, Tensor, Tensor> _block;
    [ComponentName(Name = "attention")] private readonly nn.Module<Tensor, Tensor> _attention;
    [ComponentName(Name = "last")] private readonly nn.Module<Tensor, Tensor> _last;

    public SmallNetwork(int channels, int classes, int width = 32) : base(nameof(SmallNetwork))
    {
        _time = Layers.TimeEmbedding(width);
        _labels = Layers.Embedding(classes + 1, width);
        _first = Layers.Conv2d(channels, width, kernelSize: 3, padding: 1);
        _block = Layers.ResidualBlock(width, width, timeChannels: width);
        _attention = Layers.SelfAttention(width, heads: 4);
        _last = Layers.Conv2d(width, channels, kernelSize: 3, padding: 1);
        RegisterComponents();
    }

    public bool TakesLabels => true;
    public bool TakesContext => false;
    public override Tensor forward(Tensor noisy, Tensor timesteps) => throw new NotSupportedException("This network needs labels.");

    public Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels, Tensor? context)
    {
        using var scope = NewDisposeScope();
        var condition = nn.functional.silu(_time.call(timesteps) + _labels.call(labels!)); // [B, width]
        return _last.call(_attention.call(_block.call(_first.call(noisy), condition))).MoveToOuterDisposeScope();
    }
}
