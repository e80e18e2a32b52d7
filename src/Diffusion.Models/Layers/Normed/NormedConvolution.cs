using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Group norm, SiLU and a 3×3 convolution as one operation of the graph, which keeps nothing but its inputs: norm and activation happen while the convolution reads, forward and for the gradient of its
/// weights. Gradients that are to be differentiated again come from libtorch.
/// </summary>
internal sealed class NormedConvolution : autograd.SingleTensorFunction<NormedConvolution>
{
    private const string Layers = "layers";

    public override string Name => nameof(NormedConvolution);

    /// <summary>Whether it can be done and is the fastest way.</summary>
    public static bool Pays(Tensor images, GroupNorm norm, Conv2d convolution, in ConvolutionShape shape) =>
        images.dtype == (LayerPrecision.IsNarrow(convolution.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && WinogradConvolution.Pays(images, convolution.Weight, shape) && norm.Weight.dtype == ScalarType.Float32;

    /// <summary>The convolution, where <see cref="Pays"/> says so.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="norm">Of C channels.</param>
    /// <param name="convolution">3×3, with a border of one pixel and a bias.</param>
    /// <param name="added">What is added to all pixels of a channel, [1 or B, O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W] in the type of the images.</returns>
    public static Tensor Apply(Tensor images, GroupNorm norm, Conv2d convolution, Tensor? added)
    {
        using var scope = NewDisposeScope();
        Tensor[] sources = [images, norm.Weight, norm.Bias, convolution.Weight, convolution.Bias!, .. added is null ? [] : new[] { added }];
        var layers = (norm, convolution);
        var output = is_grad_enabled() && Array.Exists(sources, source => source.requires_grad) ? apply([layers, .. sources]) : Forward(layers, images, added);
        return output.MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (layers, sources) = (((GroupNorm, Conv2d))vars[0], vars.Skip(1).Cast<Tensor>().ToList());
        ctx.save_data(Layers, layers);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, sources);
        return Forward(layers, sources[0], sources.ElementAtOrDefault(5));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var layers = ((GroupNorm, Conv2d))ctx.get_data(Layers);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => saved[0].dtype == ScalarType.BFloat16 ? Gradients<BFloat16Tile>(layers, saved, grad_output) : Gradients<Float32Tile>(layers, saved, grad_output), sources => Plain(layers, sources));
    }

    private static Tensor Forward((GroupNorm Norm, Conv2d Convolution) layers, Tensor images, Tensor? added) =>
        images.dtype == ScalarType.BFloat16 ? Forward<BFloat16Tile>(layers, images, added) : Forward<Float32Tile>(layers, images, added);

    private static unsafe Tensor Forward<T>((GroupNorm Norm, Conv2d Convolution) layers, Tensor images, Tensor? added)
        where T : ITileFormat
    {
        using var scope = NewDisposeScope();
        var (input, bias) = (WinogradImages.Of(images), layers.Convolution.Bias!);
        var start = added is null ? bias : added.to(ScalarType.Float32).Plus(bias).contiguous(); // [O], or [1 or B, O]
        var output = empty([images.size(0), bias.size(0), images.size(2), images.size(3)], dtype: images.dtype);
        using var memory = TileScratch.Rent(NormStatistics.Floats(input.Count, layers.Norm));
        var statistics = new NormStatistics(memory, input.Count, layers.Norm);
        GroupMoments.Find(input, layers.Norm, statistics);
        var ends = new ConvolutionEnds
        {
            Map = statistics.Map(activates: true),
            Bias = TensorMemory.Of<float>(start),
            BiasStep = start.dim() > 1 && start.size(0) > 1 ? (int)bias.size(0) : 0,
        };
        WinogradKernel<T>.Convolve(input, TensorMemory.Of<uint>(WinogradConvolution.Prepared<T>(layers.Convolution.Weight)), ends, WinogradImages.Of(output));
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>The gradients of ⟨output, direction⟩, without a graph.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="convolution">The convolution.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="direction">[B, O, H, W], contiguous, in the type of the images.</param>
    /// <param name="added">What is added to the gradient of the images, as them; <see langword="null"/> for nothing.</param>
    /// <param name="totals">[B, C], float32: the sums of the gradient of the images, more accurate than it is rounded, without what is added; written, unless it is <see langword="null"/>.</param>
    /// <typeparam name="T">What products are computed in.</typeparam>
    /// <returns>Those of images, weight and bias of the norm, and weight of the convolution, unless it is frozen.</returns>
    public static unsafe (Tensor Input, Tensor NormWeight, Tensor NormBias, Tensor? Weight) Gradients<T>(GroupNorm norm, Conv2d convolution, Tensor images, Tensor direction, Tensor? added = null, Tensor? totals = null)
        where T : ITileFormat
    {
        var (input, weight, from) = (WinogradImages.Of(images), convolution.Weight, WinogradImages.Of(direction));
        using var memory = TileScratch.Rent(NormStatistics.Floats(input.Count, norm));
        var statistics = new NormStatistics(memory, input.Count, norm);
        GroupMoments.Find(input, norm, statistics);

        var ofWeight = weight.requires_grad ? empty_like(weight) : null; // a third of the work, where it is not frozen
        if (ofWeight is not null)
        {
            WinogradGradient<T>.OfWeight(input, statistics.Map(activates: true), from, TensorMemory.Of<float>(ofWeight));
        }

        var (ofNormWeight, ofNormBias, ofInput) = (empty_like(norm.Weight), empty_like(norm.Bias), WinogradConvolution.InputGradient<T>(direction, weight));
        NormedGradient<T>.Of(
            input,
            (nint)TensorMemory.Of<byte>(ofInput),
            added is null ? 0 : (nint)TensorMemory.Of<byte>(added),
            norm,
            statistics,
            TensorMemory.Of<float>(ofNormWeight),
            TensorMemory.Of<float>(ofNormBias),
            totals is null ? null : TensorMemory.Of<float>(totals));
        GC.KeepAlive(images);
        GC.KeepAlive(added);
        return (ofInput, ofNormWeight, ofNormBias, ofWeight);
    }

    private static List<Tensor?> Gradients<T>((GroupNorm Norm, Conv2d Convolution) layers, List<Tensor> saved, Tensor direction)
        where T : ITileFormat
    {
        using var noGradients = no_grad();
        var dense = direction.to(saved[0].dtype).contiguous();
        var (ofInput, ofNormWeight, ofNormBias, ofWeight) = Gradients<T>(layers.Norm, layers.Convolution, saved[0].detach(), dense);
        var (ofBias, ofAdded) = TileSums.OfChannelsAndImages(dense);
        List<Tensor?> gradients = [ofInput, ofNormWeight, ofNormBias, ofWeight, ofBias];
        if (saved.Count > gradients.Count)
        {
            gradients.Add((saved[5].size(0) == 1 ? ofBias.unsqueeze(0).clone() : ofAdded).to(saved[5].dtype));
        }

        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    private static Tensor Plain((GroupNorm Norm, Conv2d Convolution) layers, List<Tensor> sources)
    {
        var type = sources[0].dtype;
        var normed = nn.functional.silu(nn.functional.group_norm(sources[0], layers.Norm.Groups, sources[1].to(type), sources[2].to(type), layers.Norm.Eps));
        var shape = new ConvolutionShape((int)sources[3].size(1), (int)sources[3].size(0), 3, 1, 1);
        var output = Convolution.Forward(normed, sources[3].to(type), sources[4].to(type), shape);
        return sources.Count > 5 ? output.Plus(sources[5].to(type).unsqueeze(-1).unsqueeze(-1)) : output; // [B, O] → [B, O, 1, 1]
    }
}
