using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="WinogradConvolution"/> in a format.</summary>
/// <typeparam name="T">What products are computed in.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class WinogradConvolution<T, TVector> : WinogradConvolution
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    // Where Winograd4 pays: with fewer pixels on a side, reading the transformed weights, 36 for 9, takes longer than the products that they save; and with more pairs of channels they take too much memory.
    private const int ShortestSideOfFour = 13;
    private const int MaxPairsOfFour = 256 * 256;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Tensor weight, Tensor? bias)
    {
        using var pointers = TensorMemory.Use();
        var output = empty([input.size(0), weight.size(0), input.size(2), input.size(3)], dtype: input.dtype);
        Convolve(WinogradImages.Of(input), weight, new ConvolutionEnds { Bias = bias is null ? null : TensorMemory.Of<float>(bias) }, WinogradImages.Of(output));
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

    /// <summary>The convolution.</summary>
    /// <param name="input">What enters.</param>
    /// <param name="weight">[O, C, 3, 3], contiguous.</param>
    /// <param name="ends">What is done before and after.</param>
    /// <param name="output">Images of the same size; written.</param>
    public static void Convolve(WinogradImages input, Tensor weight, ConvolutionEnds ends, WinogradImages output)
    {
        if (T.PerWord == 1 && ForwardOnly.IsOn && Math.Min(input.Height, input.Width) >= ShortestSideOfFour && input.Channels * output.Channels <= MaxPairsOfFour)
        {
            Convolve<Winograd4>(input, weight, ends, output);
        }
        else
        {
            Convolve<Winograd2>(input, weight, ends, output);
        }
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
        using var points = Points<Winograd2>(inChannels, outChannels);
        WinogradWeights<T, Winograd2>.TransformBackward(TensorMemory.Of<float>(weight), outChannels, inChannels, TensorMemory.Of<uint>(points));
        WinogradKernel<T, TVector, Winograd2>.Convolve(WinogradImages.Of(direction), TensorMemory.Of<uint>(points), default, WinogradImages.Of(gradient));
        return gradient;
    }

    private static void Convolve<TForm>(WinogradImages input, Tensor weight, ConvolutionEnds ends, WinogradImages output)
        where TForm : IWinogradForm
    {
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        var points = PreparedWeights.Get(weight, Form<TForm>.Name, Transformed<TForm>);
        WinogradKernel<T, TVector, TForm>.Convolve(input, TensorMemory.Of<uint>(points), ends, output);
    }

    private static Tensor Transformed<TForm>(Tensor weight)
        where TForm : IWinogradForm
    {
        using var pointers = TensorMemory.Use();
        var (outChannels, inChannels) = ((int)weight.size(0), (int)weight.size(1));
        var points = Points<TForm>(outChannels, inChannels);
        WinogradWeights<T, TForm>.Transform(TensorMemory.Of<float>(weight), outChannels, inChannels, TensorMemory.Of<uint>(points));
        return points;
    }

    private static Tensor Points<TForm>(int outChannels, int inChannels)
        where TForm : IWinogradForm => empty([WinogradWeights<T, TForm>.Words(outChannels, inChannels)], dtype: ScalarType.Float32);

    private static class Form<TForm>
        where TForm : IWinogradForm
    {
        /// <summary>The name of weights in it.</summary>
        public static readonly string Name = $"F({TForm.Outputs}×{TForm.Outputs}, 3×3) in {(T.PerWord == 1 ? "float32" : "bfloat16")}";
    }
}
