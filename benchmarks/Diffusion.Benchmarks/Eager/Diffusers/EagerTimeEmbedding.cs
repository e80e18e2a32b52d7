using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Waves of the timestep, linear, SiLU, linear, under the names of diffusers' <c>TimestepEmbedding</c>, as wide as the first level before the maps.</summary>
internal sealed class EagerTimeEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "linear_1")]
    private readonly Linear _first;

    [ComponentName(Name = "linear_2")]
    private readonly Linear _second;

    private readonly EagerDiffusersOptions _options;

    public EagerTimeEmbedding(EagerDiffusersOptions options)
        : base(nameof(EagerTimeEmbedding))
    {
        _options = options;
        _first = nn.Linear(options.Channels[0], options.TimeDimension);
        _second = nn.Linear(options.TimeDimension, options.TimeDimension);
        RegisterComponents();
    }

    /// <param name="timesteps">[B].</param>
    /// <returns>[B, time dimension].</returns>
    public override Tensor forward(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var half = _options.Channels[0] / 2;
        var frequencies = exp(arange(half, ScalarType.Float32, timesteps.device) * (-Math.Log(10000) / (half - _options.FrequencyShift)));
        var angles = timesteps.unsqueeze(1).to(ScalarType.Float32) * frequencies; // [B, 1] × [half] → [B, half]
        var waves = cat(_options.CosineFirst ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()], dim: -1);
        return _second.call(nn.functional.silu(_first.call(waves))).MoveToOuterDisposeScope();
    }
}
