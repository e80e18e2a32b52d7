using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A linear map to values and gates, and values · GELU(gates), under the name of diffusers' <c>GEGLU</c>.</summary>
/// <remarks>GLU Variants Improve Transformer, arXiv:2002.05202, Eq. 5, with a bias.</remarks>
internal sealed class EagerGeglu : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")]
    private readonly Linear _map;

    public EagerGeglu(int channels, int hidden)
        : base(nameof(EagerGeglu))
    {
        _map = nn.Linear(channels, 2 * hidden);
        RegisterComponents();
    }

    /// <param name="tokens">[B, N, C].</param>
    /// <returns>[B, N, hidden].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var halves = _map.call(tokens).chunk(2, dim: -1); // [B, N, 2·hidden] → values, gates
        return (halves[0] * nn.functional.gelu(halves[1])).MoveToOuterDisposeScope();
    }
}
