using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A residual block of <see cref="EagerUNet"/>.</summary>
internal sealed class EagerResidual : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "first")]
    private readonly nn.Module<Tensor, Tensor> _first;

    [ComponentName(Name = "time")]
    private readonly nn.Module<Tensor, Tensor> _time;

    [ComponentName(Name = "second")]
    private readonly nn.Module<Tensor, Tensor> _second;

    [ComponentName(Name = "shortcut")]
    private readonly nn.Module<Tensor, Tensor> _shortcut;

    public EagerResidual(int input, int output, int time)
        : base(nameof(EagerResidual))
    {
        _first = nn.Sequential(Norm(input), nn.SiLU(), nn.Conv2d(input, output, 3, padding: 1));
        _time = nn.Sequential(nn.SiLU(), nn.Linear(time, output));
        _second = nn.Sequential(Norm(output), nn.SiLU(), nn.Conv2d(output, output, 3, padding: 1));
        _shortcut = nn.Conv2d(input, output, 1);
        RegisterComponents();
    }

    /// <summary>TorchSharp's group norm, whose weight and bias it leaves uninitialised.</summary>
    public static nn.Module<Tensor, Tensor> Norm(int channels)
    {
        var norm = nn.GroupNorm(8, channels);
        nn.init.ones_(norm.weight!);
        nn.init.zeros_(norm.bias!);
        return norm;
    }

    public override Tensor forward(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = _first.call(images) + _time.call(time).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        return (_second.call(hidden) + _shortcut.call(images)).MoveToOuterDisposeScope();
    }
}
