using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// A small convolutional network of grey 28×28 images: 3×3 convolutions and rectifiers, halved by maxima to 14×14, 7×7 and 3×3, then two linear layers. libtorch's own layers; the channels are those for
/// which its gradients are right: 1, and multiples of 32.
/// </summary>
internal sealed class ClassifierNetwork : nn.Module<Tensor, (Tensor Features, Tensor Logits)>
{
    /// <summary>The height and width of its images, in pixels.</summary>
    public const int Side = 28;

    /// <summary>The numbers that describe an image.</summary>
    public const int Features = 64;

    private const int Narrow = 32;
    private const int Wide = 64;
    private const int LastSide = Side / 2 / 2 / 2;

    [ComponentName(Name = "conv1")] private readonly Conv2d _first;
    [ComponentName(Name = "conv2")] private readonly Conv2d _second;
    [ComponentName(Name = "conv3")] private readonly Conv2d _third;
    [ComponentName(Name = "conv4")] private readonly Conv2d _fourth;
    [ComponentName(Name = "features")] private readonly Linear _features;
    [ComponentName(Name = "classes")] private readonly Linear _classes;

    /// <summary>Draws the weights.</summary>
    /// <param name="classes">The number of classes, at least 2.</param>
    /// <param name="seed">Of the weights.</param>
    public ClassifierNetwork(int classes, long seed)
        : base(nameof(ClassifierNetwork))
    {
        (_first, _second, _third, _fourth) = (Convolution(1, Narrow), Convolution(Narrow, Wide), Convolution(Wide, Wide), Convolution(Wide, Wide));
        _features = nn.Linear(Wide * LastSide * LastSide, Features, dtype: ScalarType.Float32);
        _classes = nn.Linear(Features, classes, dtype: ScalarType.Float32);
        RegisterComponents();
        Initialize(seed);
    }

    /// <summary>Features and logits.</summary>
    /// <param name="input">[B, 1, 28, 28], in the type of the weights, 0 for black to 1 for white.</param>
    public override (Tensor Features, Tensor Logits) forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var values = Halved(nn.functional.relu(_first.call(input)));
        values = Halved(nn.functional.relu(_second.call(values)));
        values = nn.functional.relu(_third.call(values));
        values = Halved(nn.functional.relu(_fourth.call(values)));
        var features = nn.functional.relu(_features.call(values.flatten(1)));
        var logits = _classes.call(features);
        return (features.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());
    }

    private static Conv2d Convolution(int from, int to) => nn.Conv2d(from, to, 3, padding: 1, dtype: ScalarType.Float32);

    private static Tensor Halved(Tensor values) => nn.functional.max_pool2d(values, 2);

    /// <summary>Normal numbers that keep the size of what goes through rectifiers (He et al., arXiv:1502.01852, Eq. 10), biases 0.</summary>
    private void Initialize(long seed)
    {
        using var noGradients = no_grad();
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        foreach (var parameter in parameters())
        {
            var fanIn = parameter.numel() / parameter.shape[0];
            if (parameter.dim() > 1)
            {
                parameter.normal_(0, Math.Sqrt(2.0 / fanIn), generator);
            }
            else
            {
                parameter.zero_();
            }
        }
    }
}
