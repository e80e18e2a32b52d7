using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Recorded noise, draw by draw.</summary>
public sealed class ReplayNoise : NoiseSource
{
    private readonly Tensor? _draws;

    /// <summary>Makes the source.</summary>
    /// <param name="draws">[draws, B, …], or <see langword="null"/> for none; the caller keeps owning it.</param>
    public ReplayNoise(Tensor? draws) => _draws = draws;

    /// <summary>How many draws were used; set it to go on from another draw.</summary>
    public int Used { get; set; }

    /// <inheritdoc/>
    public override Tensor Draw(ReadOnlySpan<long> shape, Device device)
    {
        if (_draws is null || Used == _draws.shape[0])
        {
            throw new InvalidOperationException($"Noise was asked for after the {Used} recorded draws.");
        }

        return _draws[Used++].clone();
    }
}
