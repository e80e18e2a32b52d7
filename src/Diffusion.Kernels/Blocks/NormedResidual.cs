using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A residual block as one operation of the graph, which keeps its input, what is between its two convolutions, and a byte a value of what dropout drew. Gradients that are to be differentiated again come from libtorch.</summary>
internal sealed class NormedResidual : autograd.SingleTensorFunction<NormedResidual>
{
    private const string Layers = "layers";
    private const string Scale = "scale";

    public override string Name => nameof(NormedResidual);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(in ResidualParameters layers, Tensor images, Tensor embedding) =>
        (ForwardOnly.IsOn || (!layers.Modulates && Math.Max(layers.InChannels, layers.OutChannels) >= WinogradConvolution.FewestChannels)) && layers.CanRead(images, embedding);

    /// <summary>The block, where <see cref="CanRun"/> says so.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <param name="dropout">What dropout does before the second convolution, [B, C out, H, W]; <see langword="null"/> for nothing.</param>
    /// <returns>[B, C out, H, W].</returns>
    public static Tensor Apply(in ResidualParameters layers, Tensor images, Tensor embedding, DropoutMask? dropout = null)
    {
        if (is_grad_enabled())
        {
            using var scope = NewDisposeScope();
            Tensor[] sources = [images, embedding, .. layers.Tensors(), .. dropout is { } drawn ? new[] { drawn.Kept } : []];
            if (Array.Exists(sources, source => source.requires_grad))
            {
                return apply([layers, dropout?.Scale ?? 1, .. sources]).MoveToOuterDisposeScope();
            }
        }

        return Run(layers, images, embedding, hidden: 0, dropout);
    }

    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        using var pointers = TensorMemory.Use();
        var (layers, scale, sources) = ((ResidualParameters)vars[0], (double)vars[1], vars.Skip(2).Cast<Tensor>().ToList());
        var images = sources[0];
        var hidden = empty([images.size(0), layers.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        ctx.save_data(Layers, layers);
        ctx.save_data(Scale, scale);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, sources, hidden);
        return ForwardOnly.Not(() => Run(layers, images, sources[1], (nint)TensorMemory.Of<byte>(hidden), Mask(layers, scale, sources)));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var (layers, scale) = ((ResidualParameters)ctx.get_data(Layers), (double)ctx.get_data(Scale));
        return ReturnedGradients.Return(
            ctx,
            2,
            grad_output,
            saved => Gradients(layers, saved, grad_output, Mask(layers, scale, saved[..^1])),
            sources => Plain(layers, sources, Mask(layers, scale, sources)));
    }

    /// <summary>The mask, which comes after all that has gradients.</summary>
    private static DropoutMask? Mask(in ResidualParameters layers, double scale, List<Tensor> sources) =>
        sources.ElementAtOrDefault(2 + layers.TensorCount) is { } kept ? new DropoutMask(kept, scale) : null;

    private static Tensor Run(in ResidualParameters layers, Tensor images, Tensor embedding, nint hidden, DropoutMask? dropout)
    {
        using var pointers = TensorMemory.Use();
        var output = empty([images.size(0), layers.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        ResidualKernel.For(layers, images).Forward(layers, WinogradImages.Of(images), embedding, hidden, WinogradImages.Of(output), dropout);
        return output;
    }

    private static List<Tensor?> Gradients(in ResidualParameters layers, List<Tensor> saved, Tensor direction, DropoutMask? dropout)
    {
        using var pointers = TensorMemory.Use();
        using var noGradients = no_grad();
        var (images, embedding, hidden, dense) = (saved[0].detach(), saved[1], saved[^1], direction.to(saved[0].dtype).contiguous());
        var then = layers.With(saved[2..^1]); // the weights of the forward pass, whatever the modules hold by now
        var gradients = ResidualKernel.For(layers, images).Backward(then, images, embedding, hidden, dense, dropout);
        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null), .. dropout is null ? [] : new Tensor?[] { null }]; // a mask has none
    }

    /// <summary>The block in libtorch's operations, where the time is added.</summary>
    private static Tensor Plain(in ResidualParameters layers, List<Tensor> sources, DropoutMask? dropout)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        var (images, then) = (sources[0].to(type), layers.With(sources[2..]));
        Tensor Half(Tensor input, NormParameters norm, DropoutMask? mask, ConvolutionParameters convolution)
        {
            var normed = nn.functional.silu(nn.functional.group_norm(input, norm.Groups, norm.Weight.to(type), norm.Bias.to(type), norm.Eps));
            return Convolved(mask?.Apply(normed) ?? normed, convolution);
        }

        Tensor Convolved(Tensor input, ConvolutionParameters convolution) => PlainConvolution.Forward(input, convolution.Weight.to(type), convolution.Bias!.to(type), convolution.Shape);

        var hidden = Half(images, then.Norm1, null, then.Conv1);
        var shift = nn.functional.linear(sources[1], then.Time.Weight, then.Time.Bias!).to(type).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        return Half(hidden.Plus(shift), then.Norm2, dropout, then.Conv2).Plus(then.Shortcut is { } shortcut ? Convolved(images, shortcut) : images).to(sources[0].dtype);
    }
}
