using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// A transposed convolution in bfloat16 on the CPU as an operation of the graph: libtorch adds up the gradient of its bias value by value, which takes longer than all the rest, so it does the rest alone.
/// Gradients that are to be differentiated again come from libtorch.
/// </summary>
internal sealed class NarrowTransposed : autograd.SingleTensorFunction<NarrowTransposed>
{
    private const string Shape = "shape";

    public override string Name => nameof(NarrowTransposed);

    /// <summary>Whether it runs here: there are images, the channels need no padding, and the kernel is larger than a pixel and sees no padding alone (<see cref="ConvolutionShape.SeesOnlyPadding(Tensor, bool)"/>).</summary>
    public static bool CanRun(Tensor input, Tensor weight, in ConvolutionShape shape) =>
        ChannelPadding.Applies(input) && input.dtype == ScalarType.BFloat16 && weight.dtype == ScalarType.Float32 && !shape.IsPointwise && TileSupport.Runs && input.numel() > 0
        && ChannelPadding.Round(shape.InChannels) == shape.InChannels && ChannelPadding.Round(shape.OutChannels) == shape.OutChannels
        && !shape.SeesOnlyPadding(input, transposed: true);

    /// <summary>The convolution, where <see cref="CanRun"/> says so.</summary>
    /// <param name="input">[B, C, H, W], bfloat16.</param>
    /// <param name="weight">[C, O, k, k], float32.</param>
    /// <param name="bias">[O], float32.</param>
    /// <param name="shape">Of the convolution.</param>
    /// <returns>[B, O, H', W'], bfloat16.</returns>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor bias, ConvolutionShape shape)
    {
        using var scope = NewDisposeScope();
        var differentiates = is_grad_enabled() && (input.requires_grad || weight.requires_grad || bias.requires_grad);
        return (differentiates ? apply([shape, input, weight, bias]) : Plain([input, weight, bias], shape)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var saved = vars.Skip(1).Cast<Tensor>().ToList();
        ctx.save_data(Shape, vars[0]);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, saved);
        return Plain(saved, (ConvolutionShape)vars[0]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var shape = (ConvolutionShape)ctx.get_data(Shape);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => Gradients(saved, grad_output, shape), sources => Plain(sources, shape));
    }

    private static List<Tensor?> Gradients(List<Tensor> saved, Tensor direction, ConvolutionShape shape)
    {
        using var noGradients = no_grad();
        var (input, weight, dense) = (saved[0], saved[1].to(ScalarType.BFloat16), direction.to(ScalarType.BFloat16).contiguous());
        var (ofInput, ofWeight) = ConvolutionGradient.OfTransposed(dense, input, weight, shape);
        Tensor[] all = [ofInput, ofWeight.to(ScalarType.Float32), ChannelSums.OfAll(dense)];
        return [.. saved.Zip(all, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    private static Tensor Plain(List<Tensor> sources, ConvolutionShape shape)
    {
        using var scope = NewDisposeScope();
        return LibtorchConvolution.Run(sources[0], LayerPrecision.Rounded(sources[1]), LayerPrecision.Rounded(sources[2]), shape, transposed: true).MoveToOuterDisposeScope();
    }
}
