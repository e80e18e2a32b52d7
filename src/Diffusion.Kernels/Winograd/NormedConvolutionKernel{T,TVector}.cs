using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="NormedConvolutionKernel"/> in a format.</summary>
/// <typeparam name="T">What products are computed in.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class NormedConvolutionKernel<T, TVector> : NormedConvolutionKernel
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    /// <inheritdoc/>
    public override Tensor Forward(in NormParameters norm, Tensor images, Tensor weight, Tensor bias, Tensor? added)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var input = WinogradImages.Of(images);
        var start = added is null ? bias : added.to(ScalarType.Float32).Plus(bias).contiguous(); // [O], or [1 or B, O]
        var output = empty([images.size(0), bias.size(0), images.size(2), images.size(3)], dtype: images.dtype);
        using var memory = TileScratch.Rent(NormStatistics.Floats(input.Count, norm));
        var statistics = new NormStatistics(memory, input.Count, norm);
        GroupMoments<TVector>.Find(input, norm, statistics);
        var ends = new ConvolutionEnds
        {
            Map = statistics.Map(activates: true),
            Bias = TensorMemory.Of<float>(start),
            BiasStep = start.dim() > 1 && start.size(0) > 1 ? (int)bias.size(0) : 0,
        };
        WinogradConvolution<T, TVector>.Convolve(input, weight, ends, WinogradImages.Of(output));
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override (Tensor Input, Tensor NormWeight, Tensor NormBias, Tensor? Weight) Gradients(
        in NormParameters norm, Tensor weight, Tensor images, Tensor direction, Tensor? added = null, Tensor? totals = null, DropoutMask? dropout = null)
    {
        using var pointers = TensorMemory.Use();
        var (input, from) = (WinogradImages.Of(images), WinogradImages.Of(direction));
        var kept = KeptValues.Of(dropout, input);
        using var memory = TileScratch.Rent(NormStatistics.Floats(input.Count, norm));
        var statistics = new NormStatistics(memory, input.Count, norm);
        GroupMoments<TVector>.Find(input, norm, statistics);

        var ofWeight = weight.requires_grad ? empty_like(weight) : null; // a third of the work, where it is not frozen
        if (ofWeight is not null)
        {
            WinogradGradient<T, TVector>.OfWeight(input, statistics.Map(activates: true, kept), from, TensorMemory.Of<float>(ofWeight));
        }

        var (ofNormWeight, ofNormBias, ofInput) = (empty_like(norm.Weight), empty_like(norm.Bias), WinogradConvolution<T, TVector>.InputGradient(direction, weight));
        NormedGradient<T, TVector>.Of(
            input,
            (nint)TensorMemory.Of<byte>(ofInput),
            added is null ? 0 : (nint)TensorMemory.Of<byte>(added),
            norm,
            statistics,
            TensorMemory.Of<float>(ofNormWeight),
            TensorMemory.Of<float>(ofNormBias),
            totals is null ? null : TensorMemory.Of<float>(totals),
            kept);
        return (ofInput, ofNormWeight, ofNormBias, ofWeight);
    }
}
