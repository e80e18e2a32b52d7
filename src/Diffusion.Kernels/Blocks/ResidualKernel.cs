using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// A residual block on tiles: norms and activations happen while convolutions read, the time, biases and the input are added while they write. Gradients need the input and what is between the two
/// convolutions, of which norm and activation are computed again.
/// </summary>
/// <typeparam name="T">What products are computed in; sums are float32.</typeparam>
internal static unsafe class ResidualKernel<T>
    where T : ITileFormat
{
    /// <summary>The block.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="input">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <param name="hidden">What is between the convolutions, [B, C out, H, W] in the type of the input; written, unless it is 0.</param>
    /// <param name="output">[B, C out, H, W]; written.</param>
    public static void Forward(in ResidualParameters layers, WinogradImages input, Tensor embedding, nint hidden, WinogradImages output)
    {
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        var (rows, values) = ((int)embedding.size(0), (long)output.Count * output.Pixels * output.Channels);
        var most = (long)input.Count * Math.Max(layers.InChannels, layers.OutChannels);
        using var memory = TileScratch.Rent((hidden == 0 ? TileScratch.Rounded(values) : 0) + (2 * TileScratch.Rounded(most)) + TileScratch.Rounded((long)rows * layers.TimeChannels));
        var between = output with { Data = hidden == 0 ? (nint)memory.Take(values) : hidden };
        float* scales = memory.Take(most), shifts = memory.Take(most), projection = memory.Take((long)rows * layers.TimeChannels);
        var (step, modulates) = (rows == 1 ? 0 : layers.TimeChannels, layers.Modulates);
        TimeProjection.Map(TensorMemory.Of<float>(embedding), rows, layers.TimeDimension, TensorMemory.Of<float>(layers.Time.Weight), TensorMemory.Of<float>(layers.Time.Bias!), modulates ? null : Bias(layers.Conv1), layers.TimeChannels, projection);

        GroupMoments.Map(input, layers.Norm1, null, 0, scales, shifts);
        WinogradKernel<T>.Convolve(input, Points(layers.Conv1), new() { Map = new(scales, shifts, layers.InChannels, activates: true), Bias = modulates ? Bias(layers.Conv1) : projection, BiasStep = modulates ? 0 : step }, between);
        GroupMoments.Map(between, layers.Norm2, modulates ? projection : null, step, scales, shifts);
        var added = layers.Shortcut is { } shortcut ? Project(shortcut, input, output) : input.Data;
        WinogradKernel<T>.Convolve(between, Points(layers.Conv2), new() { Map = new(scales, shifts, layers.OutChannels, activates: true), Bias = Bias(layers.Conv2), Added = added }, output);
    }

    /// <summary>The gradients of ⟨output, direction⟩ where the time is added.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <param name="hidden">Of <see cref="Forward"/>.</param>
    /// <param name="direction">[B, C out, H, W], contiguous, in the type of the images.</param>
    /// <returns>Those of images, embedding, and weight and bias of each layer in the order of <see cref="ResidualParameters"/>; <see langword="null"/> for frozen convolutions.</returns>
    public static List<Tensor?> Backward(in ResidualParameters layers, Tensor images, Tensor embedding, Tensor hidden, Tensor direction)
    {
        var totals = empty([images.size(0), layers.OutChannels], dtype: ScalarType.Float32);
        var second = NormedConvolution.Gradients<T>(layers.Norm2, layers.Conv2.Weight, hidden, direction, added: null, totals);
        var (ofBias1, ofBias2) = (totals.sum([0L]), TileSums.OfChannels(direction));
        var ofShift = embedding.size(0) == 1 ? ofBias1.unsqueeze(0) : totals; // [1 or B, C out]
        var matrix = layers.Shortcut?.Weight.view(layers.OutChannels, layers.InChannels); // [O, C, 1, 1] → [O, C]
        var returned = matrix is null ? direction : FusedPointwise.Mapped(direction, matrix, transposed: true, bias: null);
        var first = NormedConvolution.Gradients<T>(layers.Norm1, layers.Conv1.Weight, images, second.Input, added: returned);
        List<Tensor?> gradients =
        [
            first.Input, TimeProjection.Multiply(ofShift, transposed: false, layers.Time.Weight),
            first.NormWeight, first.NormBias, first.Weight, ofBias1,
            TimeProjection.Multiply(ofShift, transposed: true, embedding), ofBias1.clone(),
            second.NormWeight, second.NormBias, second.Weight, ofBias2,
        ];
        if (layers.Shortcut is { } shortcut)
        {
            gradients.AddRange([FusedPointwise.OfMatrix(direction, images, shortcut.Weight), ofBias2.clone()]);
        }

        return gradients;
    }

    /// <summary>The projected input, in the place of the output.</summary>
    private static nint Project(ConvolutionParameters shortcut, WinogradImages input, WinogradImages output)
    {
        var size = (input.Count, input.Channels, output.Channels, input.Pixels);
        if (!input.IsNarrow)
        {
            PointwiseKernel.Map(TensorMemory.Of<float>(shortcut.Weight), transposed: false, Bias(shortcut), (float*)input.Data, (float*)output.Data, size);
        }
        else
        {
            PointwiseKernel.Map(TensorMemory.Of<ushort>(LayerPrecision.Rounded(shortcut.Weight)), Bias(shortcut), (ushort*)input.Data, (ushort*)output.Data, size);
        }

        return output.Data;
    }

    private static float* Bias(ConvolutionParameters convolution) => TensorMemory.Of<float>(convolution.Bias!);

    private static uint* Points(ConvolutionParameters convolution) => TensorMemory.Of<uint>(WinogradConvolution.Prepared<T>(convolution.Weight));
}
