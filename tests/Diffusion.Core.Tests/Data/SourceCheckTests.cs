using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class SourceCheckTests
{
    [Theory]
    [InlineData(1.5f, true, "gave values in [1.5, 1.5]; its Range is [-1, 1]")]
    [InlineData(-255f, true, "gave values in [-255, -255]")]
    [InlineData(float.NaN, true, "not a finite number")]
    [InlineData(float.NaN, false, "not a finite number")]
    [InlineData(float.PositiveInfinity, false, "not a finite number")]
    public void Fit_ValuesOutsideTheRange_AreRefused(float value, bool ranged, string reason)
    {
        using var images = new Filled(value, ranged);
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 2, BatchSize = 4 });
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => trainer.Fit(images)).Message, StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => trainer.Evaluate(images)).Message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.StepsDone);
    }

    [Fact]
    public void Fit_LatentsOfAnySize_AreTrained()
    {
        using var latents = new Filled(4, ranged: false);
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 2, BatchSize = 4 });
        trainer.Fit(latents);
        Assert.Equal(2, trainer.StepsDone);
    }

    private sealed class Filled(float value, bool ranged) : IImageSource
    {
        public string Name => "filled";

        public int Count => 8;

        public ImageShape Shape => new(1, 4, 4);

        public int Classes => 0;

        public (double Min, double Max)? Range => ranged ? (-1, 1) : null;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(full([indices.Length, 1, 4, 4], value));

        public void Dispose()
        {
        }
    }
}
