using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ProcessTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly LinearNoiseSchedule _schedule = new();

    [Fact]
    public void AddNoise_OneTimestepForTheBatch_EqualsOneForEach()
    {
        var (images, noise) = (Random(1), Random(2));
        TensorAssert.Identical(
            _schedule.AddNoise(images, noise, [300, 300, 300]), _schedule.AddNoise(images, noise, tensor([300L])), "x_t");
    }

    [Fact]
    public void AddNoise_WrongArguments_SaysWhatWasGiven()
    {
        var images = Random(1);
        Assert.Contains("[0, 1000)", Assert.Throws<ArgumentOutOfRangeException>(() => _schedule.AddNoise(images, images, [0, 1000, 5])).Message, StringComparison.Ordinal);
        Assert.Contains("2 were given", Assert.Throws<ArgumentException>(() => _schedule.AddNoise(images, images, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("[2, 1, 4, 4]", Assert.Throws<ArgumentException>(() => _schedule.AddNoise(images, images[..2], [0])).Message, StringComparison.Ordinal);
        Assert.Contains("Float32", Assert.Throws<ArgumentException>(() => _schedule.AddNoise(images, images, tensor([1f, 2f, 3f]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reverse_Limit_UsesTheLimitedImage()
    {
        var (noisy, predicted, noise) = (Random(1) * 3, Random(2), Random(3));
        using var clipped = _schedule.Reverse(noisy, predicted, 900, noise, ImageLimit.Clip());
        using var none = _schedule.Reverse(noisy, predicted, 900, noise);
        Assert.True(none.Image.abs().max().item<float>() > 10);
        TensorAssert.Identical(none.Image.clamp(-1, 1), clipped.Image, "limited image");
        var weight = Posterior.Between(_schedule.LevelAt(900), _schedule.LevelAt(899)).ImageWeight;
        TensorAssert.Close((clipped.Image - none.Image) * weight, clipped.Previous - none.Previous, 1e-5, 1e-5, "x_{t-1}");
        Assert.True((clipped.Previous - none.Previous).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public void Reverse_FirstTimestep_NeedsNoNoise()
    {
        using var step = _schedule.Reverse(Random(1), Random(2), 0, noise: null);
        TensorAssert.Close(step.Image, step.Previous, 1e-6, 1e-6, "x_{-1} is the image");
        Assert.Contains("adds noise", Assert.Throws<ArgumentException>(() => _schedule.Reverse(Random(1), Random(2), 1, noise: null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(999)]
    public void Parameterization_TargetThenToImage_IsTheImage(int timestep)
    {
        var (images, noise, level) = (Random(1).to(ScalarType.Float64), Random(2).to(ScalarType.Float64), _schedule.LevelAt(timestep));
        var noisy = ForwardProcess.AddNoise(images, noise, [level]);
        foreach (var parameterization in Parameterization.All)
        {
            var target = parameterization.Target(images, noise, [level]);
            TensorAssert.Close(images, parameterization.ToImage(noisy, target, [level]), 1e-10, 1e-10, parameterization.Name);
        }
    }

    [Fact]
    public void Epsilon_Target_IsTheNoiseToTheBit()
    {
        var noise = Random(2);
        TensorAssert.Identical(noise, Parameterization.Epsilon.Target(Random(1), noise, _schedule.LevelsAt([0, 500, 999])), "target");
    }

    [Fact]
    public void Velocity_Target_IsAlphaNoiseMinusSigmaImage()
    {
        var (images, noise, level) = (Random(1), Random(2), _schedule.LevelAt(400));
        TensorAssert.Close((noise * level.Alpha) - (images * level.Sigma), Parameterization.Velocity.Target(images, noise, [level]), 1e-6, 1e-6, "v");
    }

    public void Dispose() => _scope.Dispose();

    private static Tensor Random(ulong seed)
    {
        using var generator = new Generator(seed);
        return randn([3, 1, 4, 4], generator: generator);
    }
}
