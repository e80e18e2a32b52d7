using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>
/// The small network of the recorded cases: conv3x3(x) + sin(0.01·t)·tw. The convolution is a product of matrices, which is right for every number of
/// channels on every backend.
/// </summary>
internal sealed class RecordedNetwork : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter _bias;

    [ComponentName(Name = "time")]
    private readonly Parameter _time;

    public RecordedNetwork(GoldenCase golden)
        : base(nameof(RecordedNetwork))
    {
        _weight = new Parameter(golden["sd.conv.weight"].clone());
        _bias = new Parameter(golden["sd.conv.bias"].clone());
        _time = new Parameter(golden["sd.tw"].clone());
        RegisterComponents();
    }

    /// <summary>The gradients by the names of the recorded cases.</summary>
    public IReadOnlyDictionary<string, Tensor> Gradients => new Dictionary<string, Tensor>
    {
        ["conv.weight"] = _weight.grad!, ["conv.bias"] = _bias.grad!, ["tw"] = _time.grad!,
    };

    public override Tensor forward(Tensor images, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var columns = nn.functional.unfold(images, 3, padding: 1); // [B, C·9, H·W]
        var convolved = matmul(_weight.flatten(1), columns).view(images.shape[0], -1, images.shape[2], images.shape[3]);
        var time = (timesteps.to(ScalarType.Float32) * 0.01).sin().view(-1, 1, 1, 1) * _time.view(1, -1, 1, 1);
        return (convolved + _bias.view(1, -1, 1, 1) + time).MoveToOuterDisposeScope();
    }

    /// <summary>The recorded gradients against these.</summary>
    public void CheckGradients(GoldenCase golden)
    {
        foreach (var (name, expected) in golden.WithPrefix("grad."))
        {
            TensorAssert.Close(expected, Gradients[name], golden.AbsoluteTolerance, golden.RelativeTolerance, $"{golden.Name}: gradient of {name}");
        }
    }
}
