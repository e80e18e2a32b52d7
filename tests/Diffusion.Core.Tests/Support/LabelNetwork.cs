using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Half the image plus a number that belongs to its label; with a learned variance, that number times the image in the second half of the channels.</summary>
internal sealed class LabelNetwork : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
{
    [ComponentName(Name = "numbers")]
    private readonly Parameter _numbers;
    private readonly bool _variance;

    public LabelNetwork(bool variance = false, int labels = 5)
        : base(nameof(LabelNetwork))
    {
        _numbers = new Parameter(linspace(-0.4, 0.6, labels));
        _variance = variance;
        RegisterComponents();
    }

    /// <summary>The labels of each call.</summary>
    public List<long[]> Labels { get; } = [];

    /// <summary>The types of timesteps and labels, and the modes, of each call.</summary>
    public List<(ScalarType Timesteps, ScalarType Labels, ScalarType Images, bool Training, bool Gradients)> Calls { get; } = [];

    public bool TakesLabels => true;

    public bool TakesContext => false;

    public override Tensor forward(Tensor images, Tensor timesteps) => throw new InvalidOperationException("Labels are needed.");

    public Tensor Predict(Tensor images, Tensor timesteps, Tensor? labels, Tensor? context)
    {
        Assert.NotNull(labels);
        Assert.Null(context);
        using var scope = NewDisposeScope();
        Labels.Add([.. labels.data<long>()]);
        Calls.Add((timesteps.dtype, labels.dtype, images.dtype, training, is_grad_enabled()));
        var number = _numbers.index_select(0, labels).view(-1, 1, 1, 1);
        var output = (images * 0.5) + number;
        return (_variance ? cat([output, number * images], 1) : output).MoveToOuterDisposeScope();
    }
}
