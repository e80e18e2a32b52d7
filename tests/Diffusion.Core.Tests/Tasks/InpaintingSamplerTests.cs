using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class InpaintingSamplerTests
{
    private static readonly GaussianDenoiser s_denoiser = new(new LinearNoiseSchedule());

    public static TheoryData<string> Names() => [.. Sampler.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_EverySampler_KeepsTheKnownPixelsAndPaintsTheOthers(string name)
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 1, 1, 8, 8);
        var mask = Left(8, 8);
        var inner = Sampler.Create(name, 40);
        var result = new InpaintingSampler(inner, images, mask, jumpLength: 8, resamples: 2).Sample(s_denoiser, [32, 1, 8, 8], seed: 5);
        TensorAssert.Identical(images.expand(32, 1, 8, 8).narrow(3, 0, 4).contiguous(), result.narrow(3, 0, 4).contiguous(), "known");
        var painted = result.narrow(3, 4, 4);
        Assert.InRange(painted.mean().item<float>(), 0.2, 0.4); // the data's 0.3, with 1024 pixels to measure it by
        var deviation = inner.Sample(s_denoiser, [32, 1, 8, 8], seed: 5).std().item<float>(); // the data's 0.5, but for the steps' errors
        Assert.InRange(painted.std().item<float>(), deviation * 0.8, deviation * 1.2);
    }

    [Theory]
    [InlineData("ddim")]
    [InlineData("unipc")]
    [InlineData("dpm++2m")]
    [InlineData("plms")]
    public void Sample_NothingKnown_IsTheInnerSamplersRun(string name)
    {
        using var scope = NewDisposeScope();
        var inner = Sampler.Create(name, 10);
        var painted = new InpaintingSampler(inner, zeros(1, 1, 4, 4), zeros(1, 1, 4, 4), resamples: 1).Sample(s_denoiser, [3, 1, 4, 4], seed: 5);
        TensorAssert.Identical(inner.Sample(s_denoiser, [3, 1, 4, 4], seed: 5), painted, name);
    }

    [Fact]
    public void Sample_BoolMaskAnImageAndAChannel_KeepsEachItsOwn()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 2, 3, 4, 4);
        var mask = Normal.Of(2, 2, 3, 4, 4) > 0;
        var result = new InpaintingSampler(new DdimSampler(5), images, mask, resamples: 1).Sample(s_denoiser, [2, 3, 4, 4], seed: 5);
        TensorAssert.Identical(where(mask, images, zeros_like(images)), where(mask, result, zeros_like(images)), "known");
        Assert.Equal(0, (result == images).logical_and(mask.logical_not()).sum().item<long>());
    }

    [Fact]
    public void Steps_KnownPixels_HaveTheNoiseOfTheLevel()
    {
        using var scope = NewDisposeScope();
        var images = ones(1, 1, 32, 32);
        var sampler = new InpaintingSampler(new DdpmSampler(10), images, ones(1, 1, 32, 32), jumpLength: 2, resamples: 2);
        foreach (var step in sampler.Steps(s_denoiser, [1, 1, 32, 32], seed: 2))
        {
            Assert.InRange(step.Noisy.mean().item<float>(), step.To.Alpha - 0.15, step.To.Alpha + 0.15);
            Assert.InRange(step.Noisy.std(false).item<float>(), (step.To.Sigma * 0.9) - 1e-6, (step.To.Sigma * 1.1) + 1e-6);
        }
    }

    [Fact]
    public void Levels_Jumps_GoUpAfterEachPartAndNeverToTheStart()
    {
        using var images = zeros(1, 1, 2, 2);
        var inner = new DdimSampler(7);
        var plain = inner.Levels(s_denoiser.Schedule);
        var levels = new InpaintingSampler(inner, images, images, jumpLength: 3, resamples: 3).Levels(s_denoiser.Schedule);
        int[] expected = [0, 1, 2, 3, 4, 3, 2, 1, 2, 3, 4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 5, 6, 7, 6, 5, 4, 5, 6, 7];
        Assert.Equal(expected.Select(i => plain[i]), levels);
        Assert.Equal(plain, new InpaintingSampler(inner, images, images, jumpLength: 10, resamples: 1).Levels(s_denoiser.Schedule));
    }

    [Fact]
    public void Sample_SameSeed_HasTheSameBitsWhateverTheBatch()
    {
        using var scope = NewDisposeScope();
        using var images = Normal.Of(1, 1, 1, 4, 4);
        var sampler = new InpaintingSampler(new DdpmSampler(8), images, Left(4, 4), 2, 2);
        TensorAssert.Identical(sampler.Sample(s_denoiser, [3, 1, 4, 4], 4).narrow(0, 0, 2), sampler.Sample(s_denoiser, [2, 1, 4, 4], 4), "first two");
    }

    [Theory]
    [InlineData("ddpm")]
    [InlineData("unipc")]
    [InlineData("dpm++2m-sde")]
    public void Sample_AnyRun_LeavesNoTensor(string name)
    {
        using var images = Normal.Of(1, 1, 1, 4, 4);
        using var mask = Left(4, 4);
        Leaks.None(() => new InpaintingSampler(Sampler.Create(name, 8), images, mask, 2, 2).Sample(s_denoiser, [2, 1, 4, 4], 4).Dispose());
    }

    [Fact]
    public void Constructor_WrongArguments_AreNamed()
    {
        using var scope = NewDisposeScope();
        var images = zeros(2, 3, 4, 4);
        var inner = new DdimSampler(5);
        Says("[2 or 1, 3 or 1, 4, 4]", "mask", () => new InpaintingSampler(inner, images, zeros(2, 2, 4, 4)));
        Says("[2, 3, 5, 4]", "mask", () => new InpaintingSampler(inner, images, zeros(2, 3, 5, 4)));
        Says("16 of its 16 values", "mask", () => new InpaintingSampler(inner, images, full([1, 1, 4, 4], 0.5f)));
        Says("[3, 4, 4]", "images", () => new InpaintingSampler(inner, images[0], zeros(1, 1, 4, 4)));
        Says("DdimInverter", "inner", () => new InpaintingSampler(new DdimInverter(5), images, zeros(1, 1, 4, 4)));
        Says("jumpLength", "jumpLength", () => new InpaintingSampler(inner, images, zeros(1, 1, 4, 4), 0));
        Says("resamples", "resamples", () => new InpaintingSampler(inner, images, zeros(1, 1, 4, 4), 1, 0));
    }

    [Fact]
    public void Sample_RunThatDoesNotFit_SaysWhatDoesNot()
    {
        using var images = zeros(2, 1, 4, 4);
        using var mask = zeros(1, 1, 4, 4);
        var sampler = new InpaintingSampler(new DdimSampler(5), images, mask, 2, 2);
        Assert.Contains("[3, 1, 4, 4]", Assert.Throws<InvalidOperationException>(() => sampler.Sample(s_denoiser, [3, 1, 4, 4], 1)).Message, StringComparison.Ordinal);
        Says("5 steps", "jumpLength", () => new InpaintingSampler(new DdimSampler(5), images, mask, 5, 2).Levels(s_denoiser.Schedule));
    }

    private static void Says(string expected, string argument, Func<object> work)
    {
        var error = Assert.ThrowsAny<ArgumentException>(work);
        Assert.Equal(argument, error.ParamName);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The left half is known.</summary>
    private static Tensor Left(long height, long width)
    {
        var mask = zeros(1, 1, height, width);
        using var left = mask.narrow(3, 0, width / 2);
        left.fill_(1);
        return mask;
    }
}
