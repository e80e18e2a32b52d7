using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Group norm, projections, self-attention over pixels and the last projection, plus the input, as one operation of the graph, image by image: of each only its input, what attention makes of it and
/// two numbers of each query are kept, and what is between stays in the nearer caches. Gradients that are to be differentiated again come from libtorch.
/// </summary>
internal sealed unsafe class NormedAttention : autograd.SingleTensorFunction<NormedAttention>
{
    private const int FewestImages = 4; // to differentiate, where each is in one piece of work

    private const string Layers = "layers";

    public override string Name => nameof(NormedAttention);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(in SelfAttentionParameters layers, Tensor images) => layers.CanRead(images) && (ForwardOnly.IsOn || images.size(0) >= FewestImages);

    /// <summary>The block, where <see cref="CanRun"/> says so.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor Apply(in SelfAttentionParameters layers, Tensor images)
    {
        if (is_grad_enabled())
        {
            using var scope = NewDisposeScope();
            Tensor[] sources = [images, .. layers.Tensors()];
            if (Array.Exists(sources, source => source.requires_grad))
            {
                return apply([layers, .. sources]).MoveToOuterDisposeScope();
            }
        }

        var output = empty_like(images);
        Run(layers, images, null, null, output);
        return output;
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        using var pointers = TensorMemory.Use();
        var (layers, sources) = ((SelfAttentionParameters)vars[0], vars.Skip(1).Cast<Tensor>().ToList());
        var (images, batch, tokens) = (sources[0], sources[0].size(0), sources[0].size(2) * sources[0].size(3));
        var (output, attended) = (empty_like(images), empty([batch, tokens, layers.Layout.Inner], dtype: Kernel(images).IsNarrow ? ScalarType.BFloat16 : ScalarType.Float32));
        var totals = empty([batch, layers.Layout.Heads, 2, tokens], dtype: ScalarType.Float32);
        Run(layers, images, TensorMemory.Of<uint>(attended), TensorMemory.Of<float>(totals), output);
        ctx.save_data(Layers, layers);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, sources, attended, totals);
        return output;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var layers = (SelfAttentionParameters)ctx.get_data(Layers);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => Gradients(layers, saved, grad_output), sources => Plain(layers, sources));
    }

    private static void Run(in SelfAttentionParameters layers, Tensor images, uint* attended, float* totals, Tensor output)
    {
        using var pointers = TensorMemory.Use();
        Kernel(images).Forward(layers, WinogradImages.Of(images), attended, totals, WinogradImages.Of(output));
    }

    private static ImageAttention Kernel(Tensor images) => TileKernel<ImageAttention>.For(images.dtype == ScalarType.BFloat16 && TileSupport.MultipliesNarrow);

    private static List<Tensor?> Gradients(in SelfAttentionParameters layers, List<Tensor> saved, Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        using var noGradients = no_grad();
        var (images, dense) = (saved[0], direction.to(saved[0].dtype).contiguous());
        var then = layers.With(saved[1..^2]); // the weights of the forward pass, whatever the modules hold by now
        var (attended, totals) = ((nint)TensorMemory.Of<uint>(saved[^2]), (nint)TensorMemory.Of<float>(saved[^1]));
        var gradients = saved.SkipLast(2).Select(source => empty(source.shape, dtype: source.dtype)).ToList();
        var ofParameters = gradients.Skip(1).Select(gradient => (nint)TensorMemory.Of<float>(gradient)).ToArray();
        var kernel = TileKernel<ImageAttention>.For(saved[^2].dtype == ScalarType.BFloat16); // as in the forward pass
        kernel.Backward(then, WinogradImages.Of(images), (uint*)attended, (float*)totals, WinogradImages.Of(dense), WinogradImages.Of(gradients[0]), ofParameters);
        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    /// <summary>The block in libtorch's operations.</summary>
    private static Tensor Plain(in SelfAttentionParameters layers, List<Tensor> sources)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        var (images, then) = (sources[0].to(type), layers.With(sources[1..]));
        var normed = then.Norm is { } norm ? nn.functional.group_norm(images, norm.Groups, norm.Weight.to(type), norm.Bias.to(type), norm.Eps) : images;
        var tokens = normed.flatten(2).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        Tensor Map(Tensor input, LinearParameters linear) => nn.functional.linear(input, linear.Weight.to(type), linear.Bias!.to(type));
        var attended = PlainAttention.Products(then.Layout, [.. Enumerable.Range(0, then.Projections).Select(i => Map(tokens, then.Projection(i)))]);
        return images.Plus(Map(attended, then.Last).transpose(1, 2).reshape(images.shape)).to(sources[0].dtype); // [B, H·W, C] → [B, C, H, W]
    }
}
