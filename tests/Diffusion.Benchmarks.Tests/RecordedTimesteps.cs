using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>Evenly drawn timesteps; keeps what the trainer drew, so that another loop can be given the same.</summary>
internal sealed class RecordedTimesteps : TimestepDistribution, IDisposable
{
    private Tensor? _state;

    public override string Name => "recorded";

    /// <summary>The timesteps of the last batch.</summary>
    public IReadOnlyList<int> Timesteps { get; private set; } = [];

    public override TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null)
    {
        var draw = Uniform.Draw(schedule, count, generator, history);
        _state?.Dispose();
        _state = generator.get_state().DetachFromDisposeScope();
        Timesteps = draw.Timesteps!;
        return draw;
    }

    /// <summary>The noise of the last batch: the trainer draws it next from the same generator.</summary>
    public Tensor Noise(long[] shape)
    {
        using var generator = new Generator(0, CPU);
        generator.set_state(_state!);
        return randn(shape, ScalarType.Float32, generator: generator);
    }

    public void Dispose() => _state?.Dispose();
}
