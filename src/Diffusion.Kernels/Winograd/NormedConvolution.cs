using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Group norm, SiLU and a 3×3 convolution as one operation of the graph, which keeps nothing but its inputs: norm and activation happen while the convolution reads, forward and for the gradient of its
/// weights. Gradients that are to be differentiated again come from libtorch.
/// </summary>
internal sealed class NormedConvolution : autograd.SingleTensorFunction<NormedConvolution>
{
    private const string Norm = "norm";

    public override string Name => nameof(NormedConvolution);

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(Tensor images, in NormParameters norm, in ConvolutionParameters convolution) =>
        images.dtype == (LayerPrecision.IsNarrow(convolution.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && WinogradConvolution.CanRun(images, convolution.Weight, convolution.Shape) && norm.Weight.dtype == ScalarType.Float32 && convolution.Bias is { dtype: ScalarType.Float32 };

    /// <summary>The convolution, where <see cref="CanRun"/> says so.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="norm">Of C channels.</param>
    /// <param name="convolution">3×3, with a border of one pixel and a bias.</param>
    /// <param name="added">What is added to all pixels of a channel, [1 or B, O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W] in the type of the images.</returns>
    public static Tensor Apply(Tensor images, in NormParameters norm, in ConvolutionParameters convolution, Tensor? added)
    {
        using var scope = NewDisposeScope();
        Tensor[] sources = [images, norm.Weight, norm.Bias, convolution.Weight, convolution.Bias!, .. added is null ? [] : new[] { added }];
        var numbers = new Numbers(norm.Groups, norm.Eps);
        var output = is_grad_enabled() && Array.Exists(sources, source => source.requires_grad) ? apply([numbers, .. sources]) : Forward(numbers, [.. sources]);
        return output.MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (numbers, sources) = ((Numbers)vars[0], vars.Skip(1).Cast<Tensor>().ToList());
        ctx.save_data(Norm, numbers);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, sources);
        return ForwardOnly.Not(() => Forward(numbers, sources));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var numbers = (Numbers)ctx.get_data(Norm);
        return ReturnedGradients.Return(
            ctx,
            1,
            grad_output,
            saved => Gradients(numbers, saved, grad_output),
            sources => Plain(numbers, sources));
    }

    /// <param name="numbers">Of the norm.</param>
    /// <param name="sources">Images, weight and bias of the norm, weight and bias of the convolution, and what is added, if anything.</param>
    private static Tensor Forward(Numbers numbers, List<Tensor> sources) =>
        NormedConvolutionKernel.For(sources[0], sources[3]).Forward(numbers.Of(sources[1], sources[2]), sources[0], sources[3], sources[4], sources.ElementAtOrDefault(5));

    private static List<Tensor?> Gradients(Numbers numbers, List<Tensor> saved, Tensor direction)
    {
        using var noGradients = no_grad();
        var dense = direction.to(saved[0].dtype).contiguous();
        var (ofInput, ofNormWeight, ofNormBias, ofWeight) = NormedConvolutionKernel.For(saved[0], saved[3]).Gradients(numbers.Of(saved[1], saved[2]), saved[3], saved[0].detach(), dense);
        var (ofBias, ofAdded) = ChannelSums.OfAllAndEach(dense);
        List<Tensor?> gradients = [ofInput, ofNormWeight, ofNormBias, ofWeight, ofBias];
        if (saved.Count > gradients.Count)
        {
            gradients.Add((saved[5].size(0) == 1 ? ofBias.unsqueeze(0).clone() : ofAdded).to(saved[5].dtype));
        }

        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    private static Tensor Plain(Numbers numbers, List<Tensor> sources)
    {
        var type = LayerPrecision.OfProducts(sources[0]);
        var normed = nn.functional.silu(nn.functional.group_norm(sources[0].to(type), numbers.Groups, sources[1].to(type), sources[2].to(type), numbers.Eps));
        var shape = new ConvolutionShape((int)sources[3].size(1), (int)sources[3].size(0), 3, 1, 1);
        var output = PlainConvolution.Forward(normed, sources[3].to(type), sources[4].to(type), shape);
        return (sources.Count > 5 ? output.Plus(sources[5].to(type).unsqueeze(-1).unsqueeze(-1)) : output).to(sources[0].dtype); // [B, O] → [B, O, 1, 1]
    }

    /// <summary>What of the norm is no tensor.</summary>
    private sealed record Numbers(int Groups, double Eps)
    {
        public NormParameters Of(Tensor weight, Tensor bias) => new(weight, bias, Groups, (int)weight.size(0), Eps);
    }
}
