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

    private static unsafe List<Tensor?> Gradients<T>((GroupNorm Norm, Conv2d Convolution) layers, List<Tensor> saved, Tensor direction)
        where T : ITileFormat
    {
        using var noGradients = no_grad();
        var (images, weight) = (saved[0].detach(), saved[3].detach());
        var (input, dense) = (WinogradImages.Of(images), direction.to(images.dtype).contiguous());
        using var memory = TileScratch.Rent(NormStatistics.Floats(input.Count, layers.Norm));
        var statistics = new NormStatistics(memory, input.Count, layers.Norm);
        GroupMoments.Find(input, layers.Norm, statistics);

        var ofWeight = empty_like(weight);
        WinogradGradient<T>.OfWeight(input, statistics.Map(activates: true), WinogradImages.Of(dense), TensorMemory.Of<float>(ofWeight));
        var (ofBias, ofAdded) = ChannelSums<T>(WinogradImages.Of(dense));
        var (ofNormWeight, ofNormBias, ofInput) = (empty_like(saved[1]), empty_like(saved[2]), WinogradConvolution.InputGradient<T>(dense, weight));
        NormedGradient<T>.Of(input, (nint)TensorMemory.Of<byte>(ofInput), layers.Norm, statistics, TensorMemory.Of<float>(ofNormWeight), TensorMemory.Of<float>(ofNormBias));
        GC.KeepAlive(images);
        List<Tensor?> gradients = [ofInput, ofNormWeight, ofNormBias, ofWeight, ofBias];
        if (saved.Count > gradients.Count)
        {
            gradients.Add((saved[5].size(0) == 1 ? ofBias.unsqueeze(0).clone() : ofAdded).to(saved[5].dtype));
        }

        return [.. saved.Zip(gradients, (source, gradient) => source.requires_grad ? gradient : null)];
    }

    private static unsafe (Tensor All, Tensor OfImages) ChannelSums<T>(WinogradImages direction)
        where T : ITileFormat
    {
        var (all, ofImages) = (empty(direction.Channels), empty(direction.Count, direction.Channels));
        if (T.PerWord == 1)
        {
            TileSums.OfChannels((float*)direction.Data, direction.Count, direction.Channels, direction.Pixels, TensorMemory.Of<float>(all), TensorMemory.Of<float>(ofImages));
        }
        else
        {
            TileSums.OfChannels((ushort*)direction.Data, direction.Count, direction.Channels, direction.Pixels, TensorMemory.Of<float>(all), TensorMemory.Of<float>(ofImages));
        }

        return (all, ofImages);
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
