using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class SourceCheckTests
{
    [Theory]
    [InlineData(1.5f, true, "gave values in [1.5, 1.5]; its Range is [-1, 1]")]
    [InlineData(-255f, true, "gave values in [-255, -255]")]
    [InlineData(1.002001f, true, "gave values in [1.002001, 1.002001]; its Range is [-1, 1]")]
    [InlineData(-1.0021f, true, "gave values in [-1.0021, -1.0021]; its Range is [-1, 1]")]
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

    [Theory]
    [InlineData(float.NaN, "'filled' gave a value that is not a finite number; the first such image has the index 5.")]
    [InlineData(3f, "its Range is [-1, 1]. Scale the values, or declare another range (IImageSource.Range; null for any); the first such image has the index 5.")]
    public void Fit_OneBadImage_NamesItsIndex(float value, string reason)
    {
        using var images = new Filled(0, ranged: true) { Bad = (5, value) };
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 9, BatchSize = 4 });
        Assert.EndsWith(reason, Assert.Throws<InvalidDataException>(() => trainer.Fit(images)).Message, StringComparison.Ordinal);
        Assert.EndsWith(reason, Assert.Throws<InvalidDataException>(() => trainer.Evaluate(images)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void Fit_ImagesOfAnotherType_NamesIt(ScalarType type)
    {
        using var images = new Filled(0, ranged: true) { Type = type };
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 2, BatchSize = 4 });
        var reason = $"'filled' gave images of type {type}; Float32 is needed, with values in its Range. Convert them in Read.";
        Assert.Equal(reason, Assert.Throws<InvalidDataException>(() => trainer.Fit(images)).Message);
        Assert.Equal(reason, Assert.Throws<InvalidDataException>(() => trainer.Evaluate(images)).Message);
    }

    /// <summary>What resizing, or a narrower type on the way, makes of the ends of a range.</summary>
    [Theory]
    [InlineData(1.0000001f, -1, 1)]
    [InlineData(-1.0019f, -1, 1)]
    [InlineData(255.2f, 0, 255)]
    [InlineData(0f, 0, double.PositiveInfinity)]
    public void Values_RoundedAtTheEnds_AreTaken(float value, double from, double to)
    {
        using var images = new Filled(value, ranged: true) { Ends = (from, to) };
        using var batch = images.Read([0, 1]);
        SourceCheck.Values(images, batch, [0, 1]);
    }

    [Theory]
    [InlineData(255.3f, 0, 255, "gave values in [255.3, 255.3]; its Range is [0, 255]")]
    [InlineData(-0.001f, 0, double.PositiveInfinity, "gave values in [-0.001, -0.001]; its Range is [0, Infinity]")]
    [InlineData(0.5001f, 0.25, 0.5, null)]
    [InlineData(0.5003f, 0.25, 0.5, "gave values in [0.5003, 0.5003]; its Range is [0.25, 0.5]")]
    public void Values_OutsideByMoreThanRounding_AreSaidInFull(float value, double from, double to, string? reason)
    {
        using var images = new Filled(value, ranged: true) { Ends = (from, to) };
        using var batch = images.Read([0, 1]);
        var error = Record.Exception(() => SourceCheck.Values(images, batch, [0, 1]));
        Assert.Equal(reason is null, error is null);
        Assert.Contains(reason ?? "", error?.Message ?? "", StringComparison.Ordinal);
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

        public (double Min, double Max)? Range => ranged ? Ends : null;

        public (double From, double To) Ends { get; init; } = (-1, 1);

        public ScalarType Type { get; init; } = ScalarType.Float32;

        public (int Index, float Value) Bad { get; init; } = (-1, 0);

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            var images = full([indices.Length, 1, 4, 4], value, ScalarType.Float32);
            if (indices.IndexOf(Bad.Index) is var at and >= 0)
            {
                images[at, 0, 2, 3] = Bad.Value;
            }

            return new(images.to(Type));
        }

        public void Dispose()
        {
        }
    }
}
