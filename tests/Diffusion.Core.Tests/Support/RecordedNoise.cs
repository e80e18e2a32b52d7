using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>The noise of a recorded case, draw by draw.</summary>
internal sealed class RecordedNoise(Tensor draws) : NoiseSource
{
    public int Drawn { get; private set; }

    public override Tensor Draw(ReadOnlySpan<long> shape, Device device) => draws[Drawn++].clone();
}
