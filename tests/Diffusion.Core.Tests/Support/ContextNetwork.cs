using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Half the image plus a factor times the mean of its context.</summary>
internal sealed class ContextNetwork : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
{
    [ComponentName(Name = "factor")]
    private readonly Parameter _factor = new(ones(1));

    public ContextNetwork()
        : base(nameof(ContextNetwork)) => RegisterComponents();

    /// <summary>The shapes, types and modes of each call.</summary>
    public List<(string Images, string Context, ScalarType Type, bool Training, bool Gradients)> Calls { get; } = [];

    public bool TakesLabels => false;

    public bool TakesContext => true;

    public override Tensor forward(Tensor images, Tensor timesteps) => throw new InvalidOperationException("A context is needed.");

    public Tensor Predict(Tensor images, Tensor timesteps, Tensor? labels, Tensor? context)
    {
        Assert.NotNull(context);
        Assert.Null(labels);
        using var scope = NewDisposeScope();
        Calls.Add((string.Join("×", images.shape), string.Join("×", context.shape), context.dtype, training, is_grad_enabled()));
        return ((images * 0.5) + (_factor * context.mean([1, 2])).view(-1, 1, 1, 1)).MoveToOuterDisposeScope();
    }
}
