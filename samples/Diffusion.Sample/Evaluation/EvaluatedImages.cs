using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The images that are measured.</summary>
internal abstract class EvaluatedImages : IDisposable
{
    /// <summary>What they are, without the folders of this machine.</summary>
    public abstract string Name { get; }

    public abstract int Count { get; }

    public abstract ImageShape Shape { get; }

    /// <summary>The name of the class that each image is to show; <see langword="null"/> where none is asked for, or its name is not known.</summary>
    public abstract IReadOnlyList<string>? Classes { get; }

    /// <summary>How they were made.</summary>
    public abstract IReadOnlyDictionary<string, object?> Settings { get; }

    /// <summary>The images; once.</summary>
    /// <param name="progress">Told how many images there are so far, in parts of an image too.</param>
    /// <param name="cancellation">Checked on the way.</param>
    /// <returns>[B, C, H, W], in [−1, 1] or uint8, for the caller to dispose one by one.</returns>
    public abstract IEnumerable<Tensor> Batches(IProgress<double> progress, CancellationToken cancellation);

    public abstract void Dispose();
}
