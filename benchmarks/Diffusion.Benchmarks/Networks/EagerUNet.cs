using Diffusion.Models;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// The course's network as one writes it from TorchSharp's own modules: NCHW, float32, libtorch's convolutions. Its numbers are wrong where
/// those are (docs/decisions/0003); its time is what the library's network is compared with.
/// </summary>
internal sealed class EagerUNet : nn.Module<Tensor, Tensor, Tensor>
{
    private const int TimeDimension = 128;
    private static readonly (int In, int Out)[] s_down = [(32, 64), (64, 128), (128, 256)];
    private static readonly (int In, int Out)[] s_mid = [(256, 256), (256, 128)];
    private static readonly (int In, int Out)[] s_up = [(256, 64), (128, 32), (64, 16)];

    [ComponentName(Name = "time")]
    private readonly nn.Module<Tensor, Tensor> _time = nn.Sequential(nn.Linear(TimeDimension, TimeDimension), nn.SiLU(), nn.Linear(TimeDimension, TimeDimension));

    [ComponentName(Name = "conv_in")]
    private readonly nn.Module<Tensor, Tensor> _first = nn.Conv2d(1, 32, 3, padding: 1);

    [ComponentName(Name = "out")]
    private readonly nn.Module<Tensor, Tensor> _last = nn.Sequential(EagerResidual.Norm(16), nn.SiLU(), nn.Conv2d(16, 1, 3, padding: 1));

    [ComponentName(Name = "residuals")]
    private readonly ModuleList<EagerResidual> _residuals;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<EagerAttention> _attentions;

    [ComponentName(Name = "down")]
    private readonly ModuleList<nn.Module<Tensor, Tensor>> _down = new(nn.Conv2d(64, 64, 4, 2, 1), nn.Conv2d(128, 128, 4, 2, 1));

    [ComponentName(Name = "up")]
    private readonly ModuleList<nn.Module<Tensor, Tensor>> _up = new(nn.ConvTranspose2d(64, 64, 4, 2, 1), nn.ConvTranspose2d(32, 32, 4, 2, 1));

    /// <param name="module">Whether attention is <c>nn.MultiheadAttention</c>, as in the course's code, or two matrix products.</param>
    public EagerUNet(bool module)
        : base(nameof(EagerUNet))
    {
        List<EagerResidual> residuals = [];
        foreach (var (input, output) in s_down.Concat(s_mid).Concat(s_up))
        {
            residuals.AddRange([new(input, output, TimeDimension), new(output, output, TimeDimension)]);
            residuals.AddRange(s_mid.Contains((input, output)) ? [new(output, output, TimeDimension)] : []);
        }

        _residuals = new([.. residuals]);
        _attentions = new([.. s_down.Concat(s_mid).Concat(s_up).SelectMany(block => new[] { block.Out, block.Out }).Select(channels => new EagerAttention(channels, module))]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor images, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var time = _time.call(SinusoidalEmbedding.Embed(timesteps, TimeDimension));
        var (hidden, residual, attention) = (_first.call(images), 0, 0);
        var skips = new Stack<Tensor>();
        for (var i = 0; i < s_down.Length; i++)
        {
            skips.Push(hidden);
            hidden = Layer(Layer(hidden));
            hidden = i < _down.Count ? _down[i].call(hidden) : hidden;
        }

        foreach (var _ in s_mid)
        {
            hidden = _residuals[residual++].call(hidden, time);
            for (var j = 0; j < 2; j++)
            {
                hidden = _residuals[residual++].call(_attentions[attention++].call(hidden), time);
            }
        }

        for (var i = 0; i < s_up.Length; i++)
        {
            hidden = i > 0 ? _up[i - 1].call(hidden) : hidden;
            hidden = Layer(Layer(cat([hidden, skips.Pop()], dim: 1)));
        }

        return _last.call(hidden).MoveToOuterDisposeScope();

        Tensor Layer(Tensor input) => _attentions[attention++].call(_residuals[residual++].call(input, time));
    }
}
