using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// <see cref="AttentionKernel{T, TVector}"/> as an operation of the graph, for tokens as linear maps leave them: no head is copied to another place.
/// Gradients that are to be differentiated again come from matrix products.
/// </summary>
internal sealed class FusedAttention : autograd.SingleTensorFunction<FusedAttention>
{
    private const long FewestScores = 32 * 32; // below, tiles are mostly empty
    private const int Widest = 512; // what tiles of wider heads work on does not fit into a second-level cache

    private const string Layout = "layout";

    public override string Name => nameof(FusedAttention);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(AttentionLayout layout, Tensor[] tokens) =>
        Array.TrueForAll(tokens, part => part.device_type == tokens[0].device_type && part.numel() < int.MaxValue / sizeof(float))
        && CanRun(layout, tokens[0].dtype, tokens[0].device_type, tokens[0].shape[0], tokens[0].shape[1], tokens[^1].shape[1]);

    /// <summary>Whether it is, for so many images, queries and keys.</summary>
    public static bool CanRun(AttentionLayout layout, ScalarType type, TorchSharp.DeviceType device, long images, long queries, long keys) =>
        device == TorchSharp.DeviceType.CPU
        && images * Math.Max(queries, keys) * 3 * layout.Inner is > 0 and < int.MaxValue / sizeof(float)
        && queries * keys >= FewestScores
        && (type is ScalarType.Float32 or ScalarType.BFloat16)
        && layout.Width <= Widest
        && layout.Kernel(type == ScalarType.BFloat16) is not null;

    /// <summary>softmax(q·kᵀ/√d)·v.</summary>
    /// <param name="layout">Where queries, keys and values lie.</param>
    /// <param name="tokens">All of them in one tensor [B, N, …], or queries [B, N, …], keys [B, L, …] and values [B, L, …].</param>
    /// <returns>[B, N, heads·d], in the type of the tokens.</returns>
    public static Tensor Apply(AttentionLayout layout, params Tensor[] tokens)
    {
        using var scope = NewDisposeScope();
        Tensor[] dense = [.. tokens.Select(part => part.contiguous())];
        var output = is_grad_enabled() && Array.Exists(dense, part => part.requires_grad) ? apply([layout, .. dense]) : Forward(layout, dense).Output;
        return output.MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (layout, tokens) = ((AttentionLayout)vars[0], vars.Skip(1).Cast<Tensor>().ToArray());
        var (output, totals) = Forward(layout, tokens);
        var same = output.detach(); // saved after this method, so it is not disposed here; the output itself would keep its own graph alive
        ctx.save_data(Layout, layout);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, tokens, same, totals);
        return output;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var layout = (AttentionLayout)ctx.get_data(Layout);
        return ReturnedGradients.Return(
            ctx, 1, grad_output, saved => Gradients(layout, [.. saved.SkipLast(2)], saved[^2], saved[^1], grad_output).ToList<Tensor?>(), sources => PlainAttention.Products(layout, [.. sources.Select(source => source.to(LayerPrecision.OfProducts(source)))]).to(sources[0].dtype));
    }

    /// <summary>The output [B, N, heads·d], and of each query the largest score, to base 2, and one over the sum of its powers, [B, heads, 2, N].</summary>
    /// <param name="layout">Where queries, keys and values lie.</param>
    /// <param name="tokens">As for <see cref="Apply"/>, contiguous.</param>
    public static unsafe (Tensor Output, Tensor Totals) Forward(AttentionLayout layout, Tensor[] tokens)
    {
        using var pointers = TensorMemory.Use();
        var (query, key, value) = layout.Views(tokens);
        var (images, count) = (tokens[0].shape[0], tokens[0].shape[1]);
        var output = empty([images, count, layout.Inner], dtype: tokens[0].dtype);
        var totals = empty([images, layout.Heads, 2, count], dtype: ScalarType.Float32);
        layout.Kernel(query.IsNarrow)!.Forward((int)images, query, key, value, layout.Whole(output), TensorMemory.Of<float>(totals));
        return (output, totals);
    }

    /// <summary>The gradients of ⟨output, direction⟩, by the tensors of tokens.</summary>
    /// <param name="layout">Where queries, keys and values lie.</param>
    /// <param name="tokens">As in <see cref="Forward"/>.</param>
    /// <param name="output">Of <see cref="Forward"/>.</param>
    /// <param name="totals">Of <see cref="Forward"/>.</param>
    /// <param name="direction">[B, N, heads·d].</param>
    public static unsafe List<Tensor> Gradients(AttentionLayout layout, Tensor[] tokens, Tensor output, Tensor totals, Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (query, key, value) = layout.Views(tokens);
        var gradients = Array.ConvertAll(tokens, part => empty_like(part));
        var dense = direction.to(output.dtype).contiguous();
        layout.Kernel(query.IsNarrow)!.Backward((int)output.size(0), query, key, value, layout.Whole(output), TensorMemory.Of<float>(totals), layout.Whole(dense), layout.Views(gradients));
        return [.. gradients.Select(gradient => gradient.MoveToOuterDisposeScope())];
    }
}
