using Diffusion.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The operations of a U-Net that are no convolutions, in the types that networks run in.</summary>
internal static class OperatorCases
{
    private const double Eps = 1e-5;

    private static readonly Scalar s_quarter = 0.25.ToScalar();

    /// <summary>All of them: small enough for a check at the start of a program.</summary>
    public static IEnumerable<OperatorCase> All() =>
        from type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16]
        from operation in (IEnumerable<OperatorCase>)[.. OfType(type), .. Attention(type)]
        select operation;

    /// <summary>Attention as layers compute it: few and many tokens, multiples of 16 and others.</summary>
    private static IEnumerable<OperatorCase> Attention(ScalarType type) =>
        from shape in ((int Tokens, int Heads, int Width)[])[(49, 2, 6), (128, 4, 16), (147, 2, 4), (196, 1, 32)]
        let layout = AttentionLayout.Joint(shape.Heads, shape.Width)
        select new OperatorCase(
            $"attention of {shape.Tokens} tokens, {shape.Heads} heads of {shape.Width}", type, [[2, shape.Tokens, 3 * layout.Inner]],
            x => Functional.Attention(layout, x),
            x => Attended(layout.Split(x)));

    private static IEnumerable<OperatorCase> OfType(ScalarType type)
    {
        foreach (var (batch, rows, inner, columns) in ((int, int, int, int)[])[(1, 49, 20, 33), (4, 196, 64, 48)])
        {
            yield return new(
                $"matrix product [{batch}, {rows}, {inner}] × [{batch}, {inner}, {columns}]", type, [[batch, rows, inner], [batch, inner, columns]],
                x => bmm(x[0], x[1]),
                x => (x[0].unsqueeze(-1) * x[1].unsqueeze(1)).sum(2));
        }

        foreach (var (inner, outer) in ((int, int)[])[(1, 24), (48, 112), (128, 320)])
        {
            yield return new(
                $"linear {inner}→{outer}, 64 rows", type, [[64, inner], [outer, inner], [outer]],
                x => nn.functional.linear(x[0], x[1], x[2]),
                x => (x[0].unsqueeze(1) * x[1]).sum(-1).Plus(x[2]));
        }

        foreach (var channelsLast in (bool[])[false, true])
        {
            yield return GroupNorm(type, channelsLast);
            yield return GroupNorm(type, channelsLast) with { ParameterType = ScalarType.Float32 };
        }

        // Not with bfloat16 parameters: libtorch sums their gradients in bfloat16, 2.5e-2 off, and no network here has such.
        yield return LayerNorm(type) with { ParameterType = ScalarType.Float32 };
        yield return new(
            "attention of 49 pixels, 4 heads of 16", type, [[4, 49, 16], [4, 49, 16], [4, 49, 16]],
            x => bmm(nn.functional.softmax(bmm(x[0], x[1].transpose(1, 2)) * s_quarter, -1), x[2]),
            x => bmm(Softmax((x[0].unsqueeze(2) * x[1].unsqueeze(1)).sum(-1) * s_quarter), x[2]));
    }

    private static OperatorCase GroupNorm(ScalarType type, bool channelsLast) => new(
        $"group norm, 8 groups of 48 channels, 4×14×14, {(channelsLast ? "channels-last" : "NCHW")}", type, [[4, 48, 14, 14], [48], [48]],
        x => nn.functional.group_norm(MemoryLayout.Dense(x[0], channelsLast), 8, x[1], x[2], Eps),
        x => Normalized(x[0].view(4, 8, -1)).view(4, 48, 14, 14).mul(x[1].view(-1, 1, 1)).Plus(x[2].view(-1, 1, 1)));

    private static OperatorCase LayerNorm(ScalarType type) => new(
        "layer norm of 96 features, 200 rows", type, [[200, 96], [96], [96]],
        x => nn.functional.layer_norm(x[0], [96], x[1], x[2], Eps),
        x => Normalized(x[0]).mul(x[1]).Plus(x[2]));

    private static Tensor Attended((Tensor Query, Tensor Key, Tensor Value) heads)
    {
        using var length = Math.Sqrt(heads.Query.shape[^1]).ToScalar();
        var scores = (heads.Query.unsqueeze(-2) * heads.Key.unsqueeze(-3)).sum(-1) / length; // [B, heads, N, 1, d] × [B, heads, 1, L, d] → [B, heads, N, L]
        return (Softmax(scores).unsqueeze(-1) * heads.Value.unsqueeze(-3)).sum(-2).transpose(1, 2).flatten(2); // → [B, heads, N, d] → [B, N, heads·d]
    }

    private static Tensor Normalized(Tensor groups)
    {
        var centred = groups - groups.mean([-1], keepdim: true);
        using var eps = Eps.ToScalar();
        return centred / centred.pow(Scalars.Two).mean([-1], keepdim: true).Plus(eps).sqrt();
    }

    private static Tensor Softmax(Tensor scores)
    {
        var weights = scores.exp();
        return weights / weights.sum(-1, keepdim: true);
    }
}
