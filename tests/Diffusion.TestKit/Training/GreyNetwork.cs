using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>An even image of a grey that belongs to the label: −1, 0, 1, and 0.5 for no label.</summary>
public sealed class GreyNetwork : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
{
    [ComponentName(Name = "greys")]
    private readonly Parameter _greys = new(tensor([-1f, 0f, 1f, 0.5f]));

    public GreyNetwork()
        : base(nameof(GreyNetwork)) => RegisterComponents();

    public bool TakesLabels => true;

    public bool TakesContext => false;

    public override Tensor forward(Tensor images, Tensor timesteps) => throw new InvalidOperationException("Labels are needed.");

    public Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels, Tensor? context)
    {
        using var scope = NewDisposeScope();
        return ((noisy * 0) + _greys.index_select(0, labels!).view(-1, 1, 1, 1)).MoveToOuterDisposeScope();
    }
}
