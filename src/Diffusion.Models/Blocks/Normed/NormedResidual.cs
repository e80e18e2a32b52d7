using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A residual block as one operation of the graph, which keeps its input and what is between its two convolutions. Gradients that are to be differentiated again come from libtorch.</summary>
internal sealed class NormedResidual : autograd.SingleTensorFunction<NormedResidual>
{
    private const string Layers = "layers";

    public override string Name => nameof(NormedResidual);

    /// <summary>Whether it can be done and is the fastest way; nothing may be dropped.</summary>
    public static bool Pays(ResidualLayers layers, Tensor images, Tensor embedding) =>
        (ForwardOnly.IsOn || (!layers.Modulates && Math.Max(layers.Plan.InChannels, layers.Plan.OutChannels) >= WinogradConvolution.FewestChannels)) && layers.Fit(images, embedding);

    /// <summary>The block, where <see cref="Pays"/> says so.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <returns>[B, C out, H, W].</returns>
    public static Tensor Apply(ResidualLayers layers, Tensor images, Tensor embedding)
    {
        if (is_grad_enabled())
        {
            using var scope = NewDisposeScope();
            Tensor[] sources = [images, embedding, .. Parameters(layers)];
            if (Array.Exists(sources, source => source.requires_grad))
            {
                return apply([layers, .. sources]).MoveToOuterDisposeScope();
            }
        }

        return Run(layers, images, embedding, hidden: 0);
    }

    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (layers, sources) = ((ResidualLayers)vars[0], vars.Skip(1).Cast<Tensor>().ToList());
        var images = sources[0];
        var hidden = empty([images.size(0), layers.Plan.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        ctx.save_data(Layers, layers);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, sources, hidden);
        return Run(layers, images, sources[1], (nint)TensorMemory.Of<byte>(hidden));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var layers = (ResidualLayers)ctx.get_data(Layers);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => Gradients(layers, saved, grad_output), sources => Plain(layers, sources));
    }

    private static Tensor[] Parameters(ResidualLayers layers)
    {
        var (norm1, conv1, time, norm2, conv2, shortcut) = (layers.Norm1, layers.Conv1, layers.Time, layers.Norm2, layers.Conv2, layers.Shortcut);
        Tensor[] parameters = [norm1.Weight, norm1.Bias, conv1.Weight, conv1.Bias!, time.Weight, time.Bias!, norm2.Weight, norm2.Bias, conv2.Weight, conv2.Bias!];
        return shortcut is null ? parameters : [.. parameters, shortcut.Weight, shortcut.Bias!];
    }

    private static Tensor Run(ResidualLayers layers, Tensor images, Tensor embedding, nint hidden)
    {
        var output = empty([images.size(0), layers.Plan.OutChannels, images.size(2), images.size(3)], dtype: images.dtype);
        if (layers.IsNarrow(images))
        {
            ResidualKernel<BFloat16Tile>.Forward(layers, WinogradImages.Of(images), embedding, hidden, WinogradImages.Of(output));
        }
        else
        {
            ResidualKernel<Float32Tile>.Forward(layers, WinogradImages.Of(images), embedding, hidden, WinogradImages.Of(output));
        }

        GC.KeepAlive(images);
        GC.KeepAlive(embedding);
        return output;
    }

    private static List<Tensor?> Gradients(ResidualLayers layers, List<Tensor> saved, Tensor direction)
    {
        using var noGradients = no_grad();
        var (images, embedding, hidden, dense) = (saved[0].detach(), saved[1], saved[^1], direction.to(saved[0].dtype).contiguous());
        var gradients = layers.IsNarrow(images)
            ? ResidualKernel<BFloat16Tile>.Backward(layers, images, embedding, hidden, dense)
            : ResidualKernel<Float32Tile>.Backward(layers, images, embedding, hidden, dense);
        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    /// <summary>The block in libtorch's operations, where the time is added.</summary>
    private static Tensor Plain(ResidualLayers layers, List<Tensor> sources)
    {
        var (images, type, next) = (sources[0], sources[0].dtype, new Queue<Tensor>(sources.Skip(2)));
        Tensor Next() => next.Dequeue().to(type);
        Tensor Half(Tensor input, GroupNorm norm, Conv2d convolution) =>
            Convolution.Forward(nn.functional.silu(nn.functional.group_norm(input, norm.Groups, Next(), Next(), norm.Eps)), Next(), Next(), convolution.Shape);
        var hidden = Half(images, layers.Norm1, layers.Conv1);
        var shift = nn.functional.linear(sources[1], next.Dequeue(), next.Dequeue()).to(type).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        var output = Half(hidden.Plus(shift), layers.Norm2, layers.Conv2);
        return output.Plus(layers.Shortcut is { } shortcut ? Convolution.Forward(images, Next(), Next(), shortcut.Shape) : images);
    }
}
