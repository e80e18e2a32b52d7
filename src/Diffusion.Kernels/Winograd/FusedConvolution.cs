using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="WinogradConvolution"/> as an operation of the graph. Gradients that are to be differentiated again come from libtorch.</summary>
internal sealed class FusedConvolution : autograd.SingleTensorFunction<FusedConvolution>
{
    private const string Shape = "shape";

    public override string Name => nameof(FusedConvolution);

    /// <summary>The convolution, where <see cref="WinogradConvolution.CanRun"/> says so.</summary>
    /// <param name="input">[B, C, H, W] in float32 or bfloat16.</param>
    /// <param name="weight">[O, C, 3, 3].</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <param name="shape">Of the convolution.</param>
    /// <returns>[B, O, H, W] in the type of the input.</returns>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias, ConvolutionShape shape)
    {
        var differentiates = is_grad_enabled() && (input.requires_grad || weight.requires_grad || bias is { requires_grad: true });
        return differentiates ? apply([shape, input, weight, .. bias is null ? [] : new object[] { bias }]) : WinogradConvolution.For(input, weight).Forward(input, weight, bias);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var saved = vars.Skip(1).Cast<Tensor>().ToList();
        ctx.save_data(Shape, vars[0]);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, saved);
        return ForwardOnly.Not(() => WinogradConvolution.For(saved[0], saved[1]).Forward(saved[0], saved[1], saved.ElementAtOrDefault(2)));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var shape = (ConvolutionShape)ctx.get_data(Shape);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => Gradients(saved, grad_output), sources => Plain(sources, shape));
    }

    private static List<Tensor?> Gradients(List<Tensor> saved, Tensor direction)
    {
        var (ofInput, ofWeight, ofBias) = WinogradConvolution.For(saved[0], saved[1]).Gradients(direction, saved[0].detach(), saved[1].detach());
        Tensor[] all = [ofInput, ofWeight, ofBias];
        return [.. saved.Zip(all, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    private static Tensor Plain(List<Tensor> sources, ConvolutionShape shape)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        return PlainConvolution.Forward(sources[0].to(type), sources[1].to(type), sources.ElementAtOrDefault(2)?.to(type), shape).to(sources[0].dtype);
    }
}
