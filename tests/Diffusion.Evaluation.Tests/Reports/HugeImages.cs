namespace Diffusion.Evaluation.Tests;

/// <summary>Two thousand million images of 3×4096×4096, of which none can be read.</summary>
internal sealed class HugeImages : IImageSource
{
    public string Name => "huge";

    public int Count => 2_000_000_000;

    public ImageShape Shape => new(3, 4096, 4096);

    public int Classes => 0;

    public IReadOnlyList<string> ClassNames { get; } = [];

    public IReadOnlyList<long>? Labels => null;

    public (double Min, double Max)? Range => (-1, 1);

    public ImageBatch Read(ReadOnlySpan<int> indices) => throw new InvalidOperationException("These images are not there.");

    public void Dispose()
    {
    }
}
