using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Observers;

/// <summary>The images of another source, with labels 0 to 2, another shape or range as one likes.</summary>
internal sealed class LabelledImages(MemoryImages inner) : IImageSource
{
    public string Name => "labelled";

    public int Count { get; init; } = inner.Count;

    public ImageShape Shape { get; init; } = inner.Shape;

    public int Classes { get; init; } = 3;

    public (double Min, double Max)? Range { get; init; } = (-1, 1);

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var batch = inner.Read(indices);
        return new ImageBatch(batch.Images.clone(), Classes == 0 ? null : tensor(indices.ToArray().Select(i => (long)i % 3).ToArray()));
    }

    public void Dispose() => inner.Dispose();
}
