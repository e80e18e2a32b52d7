using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// A convolution of images in bfloat16 on the CPU by libtorch, as an operation of the graph that keeps them as they are. Where the processor does not multiply bfloat16, libtorch gets them as float32.
/// Gradients that are to be differentiated again come from libtorch.
/// </summary>
/// <remarks>libtorch adds up the gradient of the bias of a transposed convolution in bfloat16 value by value, which takes longer than all the rest, so it does the rest alone.</remarks>
internal sealed class NarrowConvolution : autograd.SingleTensorFunction<NarrowConvolution>
{
    private const long Max = int.MaxValue / sizeof(float); // values, of which there are pointers
    private const string Shape = "shape";
    private const string Transposed = "transposed";

    public override string Name => nameof(NarrowConvolution);

    /// <summary>
    /// Whether it runs here: there are images and a bias, the channels need no padding, and the kernel is larger than a pixel and sees no padding alone
    /// (<see cref="ConvolutionShape.SeesOnlyPadding(Tensor, bool)"/>).
    /// </summary>
    public static bool CanRun(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed) =>
        ChannelPadding.Applies(input) && input.dtype == ScalarType.BFloat16 && weight.dtype == ScalarType.Float32 && bias is { dtype: ScalarType.Float32 }
        && !shape.IsPointwise && TileSupport.Runs && input.numel() is > 0 and < Max && input.size(0) * shape.OutChannels * Pixels(input, shape, transposed) < Max
        && ChannelPadding.Round(shape.InChannels) == shape.InChannels && ChannelPadding.Round(shape.OutChannels) == shape.OutChannels
        && !shape.SeesOnlyPadding(input, transposed);

    /// <summary>The convolution, where <see cref="CanRun"/> says so.</summary>
    /// <param name="input">[B, C, H, W], bfloat16.</param>
    /// <param name="weight">[O, C, k, k], or, transposed, [C, O, k, k], float32.</param>
    /// <param name="bias">[O], float32.</param>
    /// <param name="shape">Of the convolution.</param>
    /// <param name="transposed">Whether it is transposed.</param>
    /// <returns>[B, O, H', W'], bfloat16.</returns>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor bias, ConvolutionShape shape, bool transposed)
    {
        using var scope = NewDisposeScope();
        var differentiates = is_grad_enabled() && (input.requires_grad || weight.requires_grad || bias.requires_grad);
        return (differentiates ? apply([shape, transposed, input, weight, bias]) : Plain([input, weight, bias], shape, transposed)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var saved = vars.Skip(2).Cast<Tensor>().ToList();
        ctx.save_data(Shape, vars[0]);
        ctx.save_data(Transposed, vars[1]);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, saved);
        return Plain(saved, (ConvolutionShape)vars[0], (bool)vars[1]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var (shape, transposed) = ((ConvolutionShape)ctx.get_data(Shape), (bool)ctx.get_data(Transposed));
        return ReturnedGradients.Return(ctx, 2, grad_output, saved => Gradients(saved, grad_output, shape, transposed), sources => Plain(sources, shape, transposed));
    }

    private static long Pixels(Tensor input, in ConvolutionShape shape, bool transposed) => transposed
        ? shape.TransposedOutputSize(input.size(2)) * shape.TransposedOutputSize(input.size(3))
        : shape.OutputSize(input.size(2)) * shape.OutputSize(input.size(3));

    private static List<Tensor?> Gradients(List<Tensor> saved, Tensor direction, ConvolutionShape shape, bool transposed)
    {
        using var noGradients = no_grad();
        var (narrow, type) = (direction.to(ScalarType.BFloat16).contiguous(), LayerPrecision.OfProducts(saved[0]));
        var (dense, input, weight) = (narrow.to(type), saved[0].to(type), saved[1].to(type));
        var (ofInput, ofWeight) = transposed ? ConvolutionGradient.OfTransposed(dense, input, weight, shape) : WithoutBias(ConvolutionGradient.Of(dense, input, weight, shape));
        Tensor[] all = [ofInput.to(ScalarType.BFloat16), ofWeight.to(ScalarType.Float32), ChannelSums.OfAll(narrow)];
        return [.. saved.Zip(all, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    private static (Tensor Input, Tensor Weight) WithoutBias((Tensor Input, Tensor Weight, Tensor Bias) gradients) => (gradients.Input, gradients.Weight);

    private static Tensor Plain(List<Tensor> sources, ConvolutionShape shape, bool transposed)
    {
        using var scope = NewDisposeScope();
        var (input, type) = (sources[0], LayerPrecision.OfProducts(sources[0]));
        Tensor Weight(Tensor weight) => type == ScalarType.BFloat16 ? LayerPrecision.Rounded(weight) : weight;
        return LibtorchConvolution.Run(input.to(type), Weight(sources[1]), Weight(sources[2]), shape, transposed).to(input.dtype).MoveToOuterDisposeScope();
    }
}
