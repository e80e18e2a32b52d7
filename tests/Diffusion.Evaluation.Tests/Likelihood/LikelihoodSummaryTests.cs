using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class LikelihoodSummaryTests : IDisposable
{
    private static readonly INoiseSchedule s_schedule = NoiseSchedule.Linear(40, 1e-4, 0.5);

    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void OfBound_AllTimesteps_IsTheBoundOfCore()
    {
        var (denoiser, images) = (GaussianImages.Diagonal().Denoiser(s_schedule), Images(3));
        using var noise = NoiseSource.Seeded(5);
        using var report = VariationalBound.BitsPerDimension(denoiser, images, noise, ReverseVariance.FixedLarge);
        var found = LikelihoodSummary.OfBound(denoiser, images, 5, ReverseVariance.FixedLarge);
        Assert.Equal(Numbers(report.Total), found.Values);
        Assert.Equal(Numbers(report.Prior).Average(), found.Prior!.Value, 1e-7);
        Assert.Equal(Enumerable.Range(0, 40), found.Timesteps);
        Assert.Equal(found.BitsPerDimension, found.Prior.Value + found.Terms.Sum(), 1e-5);
        var ofBytes = LikelihoodSummary.OfBound(denoiser, ((images + 1) * 127.5).round().to(ScalarType.Byte), 5, ReverseVariance.FixedLarge).Values;
        Assert.All(found.Values.Zip(ofBytes), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(Numbers(report.Total).Average(), found.BitsPerDimension, 1e-12);
        var deviation = Math.Sqrt(found.Values.Sum(value => Math.Pow(value - found.BitsPerDimension, 2)) / 2);
        Assert.Equal(deviation / Math.Sqrt(3), found.StandardError!.Value, 1e-12);
        Assert.Equal(FormattableString.Invariant($"at most {found.BitsPerDimension:f4} ± {found.StandardError:f4} bits per dimension, n = 3 (variational bound, all 40 timesteps, variance FixedLarge, discretised decoder)"), found.ToString());
    }

    [Fact]
    public void OfBound_SomeTimesteps_IsRightOnAverage()
    {
        var (denoiser, images) = (GaussianImages.Diagonal().Denoiser(s_schedule), Images(2));
        var all = Enumerable.Range(0, 30).Select(seed => LikelihoodSummary.OfBound(denoiser, images, seed, ReverseVariance.FixedLarge).BitsPerDimension).Average();
        double[] some = [.. Enumerable.Range(0, 200).Select(seed => LikelihoodSummary.OfBound(denoiser, images, seed, ReverseVariance.FixedLarge, timesteps: 6).BitsPerDimension)];
        var error = Math.Sqrt(some.Sum(value => Math.Pow(value - some.Average(), 2)) / 199 / 200);
        Assert.InRange(error, 1e-4, 0.1);
        Assert.Equal(all, some.Average(), 4 * error);
    }

    [Theory]
    [InlineData(1000, 2)]
    [InlineData(1000, 7)]
    [InlineData(1000, 999)]
    [InlineData(1000, 1000)]
    [InlineData(2, 2)]
    public void Choose_SomeTimesteps_StandForAll(int all, int count)
    {
        var chosen = TimestepStrata.Choose(all, count, 3);
        Assert.Equal(count, chosen.Count);
        Assert.Equal((0, 1), chosen[0]);
        Assert.Equal(all, chosen.Sum(each => each.Weight));
        Assert.True(chosen.Zip(chosen.Skip(1)).All(pair => pair.First.Timestep < pair.Second.Timestep));
        Assert.InRange(chosen[^1].Timestep, 1, all - 1);
        Assert.Equal(chosen, TimestepStrata.Choose(all, count, 3));
    }

    [Fact]
    public void Choose_ManySeeds_GivesEveryTimestepOfARangeTheSameChance()
    {
        var counts = new int[11];
        for (var seed = 0; seed < 3000; seed++)
        {
            foreach (var (timestep, _) in TimestepStrata.Choose(11, 3, seed))
            {
                counts[timestep]++;
            }
        }

        Assert.Equal([3000, 3000], counts[..2]); // ranges of 1, 1 and 9 timesteps
        Assert.All(counts[2..], count => Assert.InRange(count, 260, 410)); // 333 expected, with a deviation of 17
    }

    [Fact]
    public void Combine_Batches_IsTheWhole()
    {
        var (denoiser, images) = (GaussianImages.Diagonal().Denoiser(s_schedule), Images(5));
        var whole = LikelihoodSummary.OfBound(denoiser, images, 5, timesteps: 8);
        var first = LikelihoodSummary.OfBound(denoiser, images[..2], 5, timesteps: 8);
        var parts = LikelihoodSummary.Combine(first, LikelihoodSummary.OfBound(denoiser, images[2..], 5, timesteps: 8, firstImage: 2));
        Assert.All(whole.Values.Zip(parts.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        Assert.All(whole.Terms.Zip(parts.Terms), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        Assert.Equal(whole.Prior!.Value, parts.Prior!.Value, 1e-7);
        Assert.Equal(whole.Timesteps, parts.Timesteps);
        Assert.Equal(whole.ToString(), parts.ToString());
        Assert.Null(LikelihoodSummary.OfBound(denoiser, images[..1], 5, timesteps: 8).StandardError);
        Assert.Contains("different methods", Refused(first, LikelihoodSummary.OfBound(denoiser, images, 5)), StringComparison.Ordinal);
        Assert.Contains("at other timesteps", Refused(first, LikelihoodSummary.OfBound(denoiser, images, 6, timesteps: 8)), StringComparison.Ordinal);
        Assert.Contains("at least one batch", Refused(), StringComparison.Ordinal);

        static string Refused(params LikelihoodSummary[] parts) => Assert.Throws<ArgumentException>(() => LikelihoodSummary.Combine(parts)).Message;
    }

    [Fact]
    public void OfBound_WrongArguments_SaysWhatIsNeeded()
    {
        var (denoiser, images) = (GaussianImages.Diagonal().Denoiser(s_schedule), Images(1));
        Assert.Contains("[2, 40]", Assert.Throws<ArgumentOutOfRangeException>(() => LikelihoodSummary.OfBound(denoiser, images, 1, timesteps: 1)).Message, StringComparison.Ordinal);
        Assert.Contains("[2, 40]", Assert.Throws<ArgumentOutOfRangeException>(() => LikelihoodSummary.OfBound(denoiser, images, 1, timesteps: 41)).Message, StringComparison.Ordinal);
        Assert.Contains("8-bit values", Assert.Throws<ArgumentException>(() => LikelihoodSummary.OfBound(denoiser, images + 0.003, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("8-bit values", Assert.Throws<ArgumentException>(() => LikelihoodSummary.OfBound(denoiser, images * 2, 1)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _scope.Dispose();

    private static double[] Numbers(Tensor values) => [.. values.to(ScalarType.Float64).data<double>()];

    private static Tensor Images(int count) => ((((GaussianImages.Diagonal().Draw(count, 0.01).clamp(-1, 1) + 1) * 127.5).round() / 127.5) - 1).to(ScalarType.Float32);
}
