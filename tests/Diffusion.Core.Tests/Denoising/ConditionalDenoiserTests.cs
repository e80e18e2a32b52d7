using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ConditionalDenoiserTests : IDisposable
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly LinearNoiseSchedule _schedule = new();
    private readonly Tensor _noisy = Normal.Of(1, 3, 2, 4, 4);

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void With_OneLabelAnImage_GivesEachImageItsOwn()
    {
        using var network = new LabelNetwork();
        var denoiser = new ConditionalDenoiser(network, _schedule, Parameterization.Image);
        var expected = (_noisy * 0.5) + tensor(new[] { -0.4f, 0.35f, 0.1f }).view(3, 1, 1, 1); // labels 0, 3 and 2
        TensorAssert.Close(expected, denoiser.With(0, 3, 2).Denoise(_noisy, Level), 1e-6, 1e-6, "numbers");
        TensorAssert.Close(expected, denoiser.With(tensor(new long[] { 0, 3, 2 })).Denoise(_noisy, Level), 1e-6, 1e-6, "tensor");
    }

    [Fact]
    public void Predict_EveryParameterization_EqualsTheNetworkWithoutLabels()
    {
        using var network = new LabelNetwork(variance: true);
        using var bound = new BoundNetwork(network, 3);
        foreach (var parameterization in Parameterization.All)
        {
            foreach (var level in TestLevels.WithImage)
            {
                var (image, variance) = new ConditionalDenoiser(network, _schedule, parameterization).With(3).Predict(_noisy, level);
                var (sameImage, sameVariance) = new NetworkDenoiser(bound, _schedule, parameterization).Predict(_noisy, level);
                TensorAssert.Identical(sameImage, image, $"image, {parameterization}, {level}");
                TensorAssert.Identical(sameVariance!, variance!, $"variance, {parameterization}, {level}");
            }
        }
    }

    [Fact]
    public void Predict_TrainingNetworkOfDoubles_RunsInItsTypeInEvaluationWithoutGradients()
    {
        using var network = new LabelNetwork();
        network.to(ScalarType.Float64).train();
        var denoiser = new ConditionalDenoiser(network, _schedule, nullLabel: 4);
        var whole = denoiser.With(1).Denoise(_noisy, Level);
        var fraction = denoiser.Unlabelled.Denoise(_noisy, new NoiseLevel(0.8, 0.6, 99.5));
        Assert.Equal((ScalarType.Float32, false), (whole.dtype, whole.requires_grad));
        Assert.Equal(ScalarType.Float32, fraction.dtype);
        Assert.Equal(
            [(ScalarType.Int64, ScalarType.Int64, ScalarType.Float64, false, false), (ScalarType.Float32, ScalarType.Int64, ScalarType.Float64, false, false)],
            network.Calls);
        Assert.True(network.training);
    }

    [Fact]
    public void Unlabelled_NullLabel_ServesBatchesOfAnySize()
    {
        using var network = new LabelNetwork();
        var denoiser = new ConditionalDenoiser(network, _schedule, nullLabel: 4);
        denoiser.Unlabelled.Denoise(_noisy, Level);
        denoiser.Unlabelled.Denoise(_noisy[..1], Level);
        Assert.Equal([[4, 4, 4], [4]], network.Labels);
    }

    [Fact]
    public void PredictWith_LabelsOfOtherNetworks_IsRefused()
    {
        using var network = new LabelNetwork();
        using var other = new LabelNetwork();
        var one = Assert.IsAssignableFrom<IBatchedDenoiser>(new ConditionalDenoiser(network, _schedule).With(1));
        var two = new ConditionalDenoiser(other, _schedule).With(1);
        Assert.False(one.CanPredictWith(two));
        Assert.Throws<ArgumentException>(() => one.PredictWith(two, _noisy, Level));
        one.Guided(two, 2).Denoise(_noisy, Level);
        Assert.Equal((1, 1), (network.Labels.Count, other.Labels.Count));
    }

    [Fact]
    public void Sample_GuidedByLabels_GivesEachImageTheSameAloneAsTogether()
    {
        using var network = new LabelNetwork();
        var denoiser = new ConditionalDenoiser(network, _schedule, Parameterization.Image, nullLabel: 4);
        var sampler = new DdpmSampler(5);
        var together = sampler.Sample(denoiser.Guided([0, 1, 2], 2), [3, 1, 4, 4], seed: 4);
        using var noise = new SeededNoise(4, firstImage: 1);
        var alone = sampler.SampleFrom(denoiser.Guided([1], 2), [1, 1, 4, 4], noise);
        TensorAssert.Close(together[1..2], alone, 1e-6, 1e-6, "image 1");
    }

    [Fact]
    public void Denoise_LabelsBound_LeavesNoTensorBehind()
    {
        using var network = new LabelNetwork(variance: true);
        var denoiser = new ConditionalDenoiser(network, _schedule, nullLabel: 4);
        Leaks.None(() =>
        {
            denoiser.With(1, 2, 3).Denoise(_noisy, Level).Dispose();
            denoiser.Unlabelled.Denoise(_noisy, Level).Dispose();
        });
    }

    [Fact]
    public void With_BadLabels_SaysWhatIsWrong()
    {
        using var network = new LabelNetwork();
        var denoiser = new ConditionalDenoiser(network, _schedule);
        var message = Assert.Throws<ArgumentException>(() => denoiser.With(1, 2).Denoise(_noisy, Level)).Message;
        Assert.Contains("2 labels", message, StringComparison.Ordinal);
        Assert.Contains("[3, 2, 4, 4]", message, StringComparison.Ordinal);
        Assert.Contains("labels[1] is -1", Assert.Throws<ArgumentException>(() => denoiser.With(0, -1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => denoiser.With());
        Assert.Contains("Float32", Assert.Throws<ArgumentException>(() => denoiser.With(ones(3))).Message, StringComparison.Ordinal);
        Assert.Contains("[3, 1]", Assert.Throws<ArgumentException>(() => denoiser.With(zeros(3, 1, dtype: ScalarType.Int64))).Message, StringComparison.Ordinal);
        Assert.Contains("NullLabel", Assert.Throws<InvalidOperationException>(() => denoiser.Unlabelled).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => denoiser.Guided([1, 2, 3], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConditionalDenoiser(network, _schedule, nullLabel: -1));
    }

    /// <summary>The network with one label for all images.</summary>
    private sealed class BoundNetwork(LabelNetwork network, long label) : nn.Module<Tensor, Tensor, Tensor>(nameof(BoundNetwork))
    {
        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var labels = full([images.shape[0]], label, ScalarType.Int64);
            return network.call(images, timesteps, labels);
        }
    }
}
