using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A network of a few hundred weights for 1×4×4 images.</summary>
public sealed class TinyNetwork : nn.Module<Tensor, Tensor, Tensor>
{
    public const int Pixels = 16;

    [ComponentName(Name = "first")]
    private readonly Linear _first;

    [ComponentName(Name = "second")]
    private readonly Linear _second;

    public TinyNetwork(int seed = 1)
        : base(nameof(TinyNetwork))
    {
        _first = nn.Linear(Pixels + 1, 24, dtype: ScalarType.Float32);
        _second = nn.Linear(24, Pixels, dtype: ScalarType.Float32);
        using var noGradients = no_grad();
        using var generator = new Generator((ulong)seed);
        foreach (var parameter in _first.parameters().Concat(_second.parameters()))
        {
            parameter.uniform_(-0.2, 0.2, generator);
        }

        RegisterComponents();
    }

    public override Tensor forward(Tensor images, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var input = cat([images.flatten(1), timesteps.to(ScalarType.Float32).unsqueeze(1) / 1000], 1);
        return _second.call(nn.functional.silu(_first.call(input))).view(images.shape).MoveToOuterDisposeScope();
    }
}
