using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A linear map of float32 tokens on the CPU as an operation of the graph, on tiles; also of tokens that are the pixels of images, which are not turned into rows before.
/// Gradients that are to be differentiated again come from libtorch.
/// </summary>
internal sealed class FusedLinear : autograd.SingleTensorFunction<FusedLinear>
{
    private const int FewestTokens = 64;

    public override string Name => nameof(FusedLinear);

    /// <summary>Whether it is the fastest way on this machine.</summary>
    public static bool Pays(Tensor tokens, Tensor weight) =>
        tokens.dtype == ScalarType.Float32 && weight.dtype == ScalarType.Float32 && tokens.device_type == TorchSharp.DeviceType.CPU
        && weight.shape[0] % TilePanels.Lanes == 0 && weight.shape[1] % TilePanels.Lanes == 0
        && AttentionTile.IsSupported
        && tokens.numel() / weight.shape[1] >= FewestTokens && tokens.numel() / weight.shape[1] * weight.shape[0] < int.MaxValue / sizeof(float) && tokens.numel() < int.MaxValue / sizeof(float)
        && weight.is_contiguous()
        && LinearKernel.IsAvailable;

    /// <summary>tokens · weightᵀ + bias.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="weight">[O, C], contiguous.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[…, O].</returns>
    public static Tensor Apply(Tensor tokens, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var readable = LinearTokens.Readable(tokens) ? tokens : tokens.contiguous();
        var differentiates = is_grad_enabled() && (tokens.requires_grad || weight.requires_grad || bias is { requires_grad: true });
        return (differentiates ? apply([readable, weight, .. bias is null ? [] : new object[] { bias }]) : LinearTokens.Map(readable, weight, bias)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var saved = vars.Cast<Tensor>().ToList();
        ctx.save_for_backward(saved);
        return LinearTokens.Map(saved[0], saved[1], saved.ElementAtOrDefault(2));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var gradients = is_grad_enabled() ? DifferentiableGradients(saved, grad_output) : Gradients(saved, grad_output);
        return ReturnedGradients.Return(0, gradients.ConvertAll(gradient => gradient?.DetachFromDisposeScope()));
    }

    private static List<Tensor?> Gradients(List<Tensor> saved, Tensor direction)
    {
        var (tokens, weight, dense) = (saved[0], saved[1], direction.contiguous());
        List<Tensor?> gradients =
        [
            tokens.requires_grad ? LinearTokens.ToInput(dense, weight) : null,
            weight.requires_grad ? LinearTokens.ToWeight(tokens, dense) : null,
        ];
        if (saved.Count > 2)
        {
            gradients.Add(saved[2].requires_grad ? dense.view(-1, dense.shape[^1]).sum([0]) : null);
        }

        return gradients;
    }

    private static List<Tensor?> DifferentiableGradients(List<Tensor> saved, Tensor direction)
    {
        var output = nn.functional.linear(saved[0], saved[1], saved.ElementAtOrDefault(2)!);
        var gradients = new Queue<Tensor>(autograd.grad([output], [.. saved.Where(source => source.requires_grad)], [direction], retain_graph: true, create_graph: true));
        return [.. saved.Select(source => source.requires_grad ? gradients.Dequeue() : null)];
    }
}
