using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="ResidualKernel"/> in a format.</summary>
/// <typeparam name="T">What products are computed in; sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class ResidualKernel<T, TVector> : ResidualKernel
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    /// <inheritdoc/>
    public override void Forward(in ResidualParameters layers, WinogradImages input, Tensor embedding, nint hidden, WinogradImages output, DropoutMask? dropout)
    {
        var (rows, values) = ((int)embedding.size(0), (long)output.Count * output.Pixels * output.Channels);
        var max = (long)input.Count * Math.Max(layers.InChannels, layers.OutChannels);
        using var memory = TileScratch.Rent((hidden == 0 ? TileScratch.Rounded(values) : 0) + (2 * TileScratch.Rounded(max)) + TileScratch.Rounded((long)rows * layers.TimeChannels));
        var between = output with { Data = hidden == 0 ? (nint)memory.Take(values) : hidden };
        float* scales = memory.Take(max), shifts = memory.Take(max), projection = memory.Take((long)rows * layers.TimeChannels);
        var (step, modulates) = (rows == 1 ? 0 : layers.TimeChannels, layers.Modulates);
        TimeProjection<TVector>.Map(TensorMemory.Of<float>(embedding), rows, layers.TimeDimension, TensorMemory.Of<float>(layers.Time.Weight), TensorMemory.Of<float>(layers.Time.Bias!), modulates ? null : Bias(layers.Conv1), layers.TimeChannels, projection);

        GroupMoments<TVector>.Map(input, layers.Norm1, null, 0, scales, shifts);
        WinogradConvolution<T, TVector>.Convolve(input, layers.Conv1.Weight, new() { Map = new(scales, shifts, layers.InChannels, activates: true), Bias = modulates ? Bias(layers.Conv1) : projection, BiasStep = modulates ? 0 : step }, between);
        GroupMoments<TVector>.Map(between, layers.Norm2, modulates ? projection : null, step, scales, shifts);
        var added = layers.Shortcut is { } shortcut ? Project(shortcut, input, output) : input.Data;
        WinogradConvolution<T, TVector>.Convolve(between, layers.Conv2.Weight, new() { Map = new(scales, shifts, layers.OutChannels, activates: true, KeptValues.Of(dropout, between)), Bias = Bias(layers.Conv2), Added = added }, output);
    }

    /// <inheritdoc/>
    public override List<Tensor?> Backward(in ResidualParameters layers, Tensor images, Tensor embedding, Tensor hidden, Tensor direction, DropoutMask? dropout)
    {
        var normed = TileKernel<NormedConvolutionKernel>.For(T.PerWord > 1);
        var totals = empty([images.size(0), layers.OutChannels], dtype: ScalarType.Float32);
        var second = normed.Gradients(layers.Norm2, layers.Conv2.Weight, hidden, direction, added: null, totals, dropout);
        var (ofBias1, ofBias2) = (totals.sum([0L]), ChannelSums.OfAll(direction));
        var ofShift = embedding.size(0) == 1 ? ofBias1.unsqueeze(0) : totals; // [1 or B, C out]
        var matrix = layers.Shortcut?.Weight.view(layers.OutChannels, layers.InChannels); // [O, C, 1, 1] → [O, C]
        var returned = matrix is null ? direction : FusedPointwise.Mapped(direction, matrix, transposed: true, bias: null);
        var first = normed.Gradients(layers.Norm1, layers.Conv1.Weight, images, second.Input, added: returned);
        List<Tensor?> gradients =
        [
            first.Input, TimeProjection<TVector>.Multiply(ofShift, transposed: false, layers.Time.Weight),
            first.NormWeight, first.NormBias, first.Weight, ofBias1,
            TimeProjection<TVector>.Multiply(ofShift, transposed: true, embedding), ofBias1.clone(),
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
        PointwiseKernel.For(input.IsNarrow).Map(shortcut.Weight, transposed: false, Bias(shortcut), input.Data, output.Data, input.IsNarrow, (input.Count, input.Channels, output.Channels, input.Pixels));
        return output.Data;
    }

    private static float* Bias(ConvolutionParameters convolution) => TensorMemory.Of<float>(convolution.Bias!);
}
