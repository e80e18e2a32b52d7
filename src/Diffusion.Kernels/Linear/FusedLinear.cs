using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// A linear map on the CPU as an operation of the graph, on tiles: float32 weights, tokens in float32 or in bfloat16; also of tokens that are the pixels of images, which nobody has to turn into rows before.
/// Gradients that are to be differentiated again come from libtorch.
/// </summary>
internal sealed class FusedLinear : autograd.SingleTensorFunction<FusedLinear>
{
    private const int FewestTokens = 64;

    public override string Name => nameof(FusedLinear);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(Tensor tokens, Tensor weight)
    {
        var rows = tokens.numel() / weight.size(1);
        return weight.dtype == ScalarType.Float32 && tokens.device_type == TorchSharp.DeviceType.CPU
            && tokens.dtype is ScalarType.Float32 or ScalarType.BFloat16 && TileSupport.Runs
            && weight.size(0) % TilePanels.Lanes == 0 && weight.size(1) % TilePanels.Lanes == 0 && weight.is_contiguous()
            && rows >= FewestTokens && rows * Math.Max(weight.size(0), weight.size(1)) < int.MaxValue / sizeof(float);
    }

    /// <summary>tokens · weightᵀ + bias.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="weight">[O, C], contiguous.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[…, O], in the type of the tokens.</returns>
    public static Tensor Apply(Tensor tokens, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var differentiates = is_grad_enabled() && (tokens.requires_grad || weight.requires_grad || bias is { requires_grad: true });
        return (differentiates ? apply([tokens, weight, .. bias is null ? [] : new object[] { bias }]) : LinearTokens.For(tokens).Map(tokens, weight, bias)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var saved = vars.Cast<Tensor>().ToList();
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, saved);
        return LinearTokens.For(saved[0]).Map(saved[0], saved[1], saved.ElementAtOrDefault(2));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        return ReturnedGradients.Return(ctx, 0, grad_output, saved => Gradients(saved, grad_output), Plain);
    }

    private static List<Tensor?> Gradients(List<Tensor> saved, Tensor direction)
    {
        var (tokens, weight, dense, kernel) = (saved[0], saved[1], direction.to(saved[0].dtype).contiguous(), LinearTokens.For(saved[0]));
        List<Tensor?> gradients =
        [
            tokens.requires_grad ? kernel.ToInput(dense, weight) : null,
            weight.requires_grad ? kernel.ToWeight(tokens, dense) : null,
        ];
        if (saved.Count > 2)
        {
            gradients.Add(saved[2].requires_grad ? kernel.ToBias(dense) : null);
        }

        return gradients;
    }

    private static Tensor Plain(List<Tensor> sources)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        return nn.functional.linear(sources[0].to(type), sources[1].to(type), sources.ElementAtOrDefault(2)?.to(type)!).to(sources[0].dtype);
    }
}
