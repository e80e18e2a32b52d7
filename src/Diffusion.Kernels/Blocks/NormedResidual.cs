using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A residual block as one operation of the graph, which keeps its input and what is between its two convolutions. Gradients that are to be differentiated again come from libtorch.</summary>
internal sealed class NormedResidual : autograd.SingleTensorFunction<NormedResidual>
{
    private const string Layers = "layers";

    public override string Name => nameof(NormedResidual);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(in ResidualParameters layers, Tensor images, Tensor embedding) =>
        (ForwardOnly.IsOn || (!layers.Modulates && Math.Max(layers.InChannels, layers.OutChannels) >= WinogradConvolution.FewestChannels)) && layers.CanRead(images, embedding);

    /// <summary>The block, where <see cref="CanRun"/> says so.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <returns>[B, C out, H, W].</returns>
    public static Tensor Apply(in ResidualParameters layers, Tensor images, Tensor embedding)
    {
        if (is_grad_enabled())
        {
            using var scope = NewDisposeScope();
            Tensor[] sources = [images, embedding, .. layers.Tensors()];
            if (Array.Exists(sources, source => source.requires_grad))
            {
                return apply([layers, .. sources]).MoveToOuterDisposeScope();
            }
        }

        return Run(layers, images, embedding, hidden: 0);
    }

    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        using var pointers = TensorMemory.Use();
        var (layers, sources) = ((ResidualParameters)vars[0], vars.Skip(1).Cast<Tensor>().ToList());
        var images = sources[0];
        var hidden = empty([images.size(0), layers.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        ctx.save_data(Layers, layers);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, sources, hidden);
        return Run(layers, images, sources[1], (nint)TensorMemory.Of<byte>(hidden));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var layers = (ResidualParameters)ctx.get_data(Layers);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => Gradients(layers, saved, grad_output), sources => Plain(layers, sources));
    }

    private static Tensor Run(in ResidualParameters layers, Tensor images, Tensor embedding, nint hidden)
    {
        using var pointers = TensorMemory.Use();
        var output = empty([images.size(0), layers.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        ResidualKernel.For(layers, images).Forward(layers, WinogradImages.Of(images), embedding, hidden, WinogradImages.Of(output));
        return output;
    }

    private static List<Tensor?> Gradients(in ResidualParameters layers, List<Tensor> saved, Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        using var noGradients = no_grad();
        var (images, embedding, hidden, dense) = (saved[0].detach(), saved[1], saved[^1], direction.to(saved[0].dtype).contiguous());
        var then = layers.With(saved[2..^1]); // the weights of the forward pass, whatever the modules hold by now
        var gradients = ResidualKernel.For(layers, images).Backward(then, images, embedding, hidden, dense);
        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    /// <summary>The block in libtorch's operations, where the time is added.</summary>
    private static Tensor Plain(in ResidualParameters layers, List<Tensor> sources)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        var (images, then) = (sources[0].to(type), layers.With(sources[2..]));
        Tensor Half(Tensor input, NormParameters norm, ConvolutionParameters convolution)
        {
            var normed = nn.functional.silu(nn.functional.group_norm(input, norm.Groups, norm.Weight.to(type), norm.Bias.to(type), norm.Eps));
            return Convolved(normed, convolution);
        }

        Tensor Convolved(Tensor input, ConvolutionParameters convolution) => PlainConvolution.Forward(input, convolution.Weight.to(type), convolution.Bias!.to(type), convolution.Shape);

        var hidden = Half(images, then.Norm1, then.Conv1);
        var shift = nn.functional.linear(sources[1], then.Time.Weight, then.Time.Bias!).to(type).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        return Half(hidden.Plus(shift), then.Norm2, then.Conv2).Plus(then.Shortcut is { } shortcut ? Convolved(images, shortcut) : images).to(sources[0].dtype);
    }
}
