using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="WinogradConvolution"/> in a format.</summary>
/// <typeparam name="T">What products are computed in.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class WinogradConvolution<T, TVector> : WinogradConvolution
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    /// <summary>The weight as <see cref="WinogradKernel{T, TVector}.Convolve"/> reads it: of the run or of the current dispose scope.</summary>
    public static Tensor Prepared(Tensor weight) => PreparedWeights.Get(weight, T.PerWord == 1 ? "Winograd float32" : "Winograd bfloat16", Transformed);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor weight, Tensor? bias)
    {
        using var pointers = TensorMemory.Use();
        var output = empty([input.size(0), weight.size(0), input.size(2), input.size(3)], dtype: input.dtype);
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        Convolve(input, Prepared(weight), bias, output);
        return output;
    }

    /// <inheritdoc/>
    public override (Tensor Input, Tensor Weight, Tensor Bias) Gradients(Tensor direction, Tensor input, Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (dense, ofWeight) = (direction.to(input.dtype).contiguous(), empty_like(weight));
        var ofInput = InputGradient(dense, weight);
        WinogradGradient<T, TVector>.OfWeight(WinogradImages.Of(input), default, WinogradImages.Of(dense), TensorMemory.Of<float>(ofWeight));
        return (ofInput.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), ChannelSums.OfAll(dense).MoveToOuterDisposeScope());
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="direction">[B, O, H, W], contiguous.</param>
    /// <param name="weight">[O, C, 3, 3], contiguous.</param>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor InputGradient(Tensor direction, Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        var (outChannels, inChannels) = ((int)weight.size(0), (int)weight.size(1));
        var gradient = empty([direction.size(0), inChannels, direction.size(2), direction.size(3)], dtype: direction.dtype);
        using var points = Points(weight);
        WinogradWeights<T>.TransformBackward(TensorMemory.Of<float>(weight), outChannels, inChannels, TensorMemory.Of<uint>(points));
        Convolve(direction, points, null, gradient);
        return gradient;
    }

    private static Tensor Points(Tensor weight) => empty([WinogradTiles.Points, weight.size(0), weight.size(1) / T.PerWord], dtype: ScalarType.Float32);

    private static Tensor Transformed(Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        var points = Points(weight);
        WinogradWeights<T>.Transform(TensorMemory.Of<float>(weight), (int)weight.size(0), (int)weight.size(1), TensorMemory.Of<uint>(points));
        return points;
    }

    private static void Convolve(Tensor input, Tensor points, Tensor? bias, Tensor output) =>
        WinogradKernel<T, TVector>.Convolve(WinogradImages.Of(input), TensorMemory.Of<uint>(points), new ConvolutionEnds { Bias = bias is null ? null : TensorMemory.Of<float>(bias) }, WinogradImages.Of(output));
}
