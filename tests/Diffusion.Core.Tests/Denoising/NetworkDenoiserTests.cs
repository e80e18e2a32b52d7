using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Networks with labels, with a context, with both.</summary>
public sealed class NetworkDenoiserTests : IDisposable
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly LinearNoiseSchedule _schedule = new();
    private readonly Tensor _noisy = Normal.Of(1, 3, 2, 4, 4);
    private readonly Tensor _context = tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1).expand(3, 5, 7);

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void With_OneLabelASample_GivesEachItsOwn()
    {
        using var network = new LabelNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule, Parameterization.Image);
        var expected = (_noisy * 0.5) + tensor(new[] { -0.4f, 0.35f, 0.1f }).view(3, 1, 1, 1); // labels 0, 3 and 2
        TensorAssert.Close(expected, denoiser.With(0, 3, 2).Denoise(_noisy, Level), 1e-6, 1e-6, "numbers");
        TensorAssert.Close(expected, denoiser.With(Condition.OfLabels(tensor(new long[] { 0, 3, 2 }))).Denoise(_noisy, Level), 1e-6, 1e-6, "tensor");
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
                var (image, variance) = new NetworkDenoiser(network, _schedule, parameterization).With(3).Predict(_noisy, level);
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
        var denoiser = new NetworkDenoiser(network, _schedule, nullCondition: Condition.OfLabels(4));
        var whole = denoiser.With(1).Denoise(_noisy, Level);
        var fraction = denoiser.Denoise(_noisy, new NoiseLevel(0.8, 0.6, 99.5));
        Assert.Equal((ScalarType.Float32, false), (whole.dtype, whole.requires_grad));
        Assert.Equal(ScalarType.Float32, fraction.dtype);
        Assert.Equal(
            [(ScalarType.Int64, ScalarType.Int64, ScalarType.Float64, false, false), (ScalarType.Float32, ScalarType.Int64, ScalarType.Float64, false, false)],
            network.Calls);
        Assert.True(network.training);

        using var other = new ContextNetwork();
        other.to(ScalarType.Float64).train();
        Assert.Equal(ScalarType.Float32, new NetworkDenoiser(other, _schedule).With(Condition.OfContext(_context)).Denoise(_noisy, Level).dtype);
        Assert.Equal(("3×2×4×4", "3×5×7", ScalarType.Float64, false, false), Assert.Single(other.Calls));
    }

    [Fact]
    public void Predict_NoCondition_IsTheNullConditionForBatchesOfAnySize()
    {
        using var network = new LabelNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule, nullCondition: Condition.OfLabels(4));
        denoiser.Denoise(_noisy, Level);
        denoiser.Denoise(_noisy[..1], Level);
        Assert.Equal([[4, 4, 4], [4]], network.Labels);
    }

    [Fact]
    public void With_ContextASample_GivesEachItsOwn()
    {
        using var network = new ContextNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule, Parameterization.Image);
        TensorAssert.Close((_noisy * 0.5) + tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1, 1), denoiser.With(Condition.OfContext(_context)).Denoise(_noisy, Level), 1e-6, 1e-6, "each");
        TensorAssert.Close((_noisy * 0.5) + 0.2, denoiser.With(Condition.OfContext(_context[1..2])).Denoise(_noisy, Level), 1e-6, 1e-6, "one for all");
    }

    [Theory]
    [InlineData(5, "6×2×4×4 6×5×7")]
    [InlineData(2, "3×2×4×4 3×5×7, 3×2×4×4 3×2×7")] // contexts of different lengths do not fit into one batch
    public void Guided_Context_IsOneCallWhereTheLengthsAreTheSame(int length, string calls)
    {
        using var network = new ContextNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule, Parameterization.Image, Condition.OfContext(zeros(1, length, 7)));
        var guided = denoiser.With(Condition.OfContext(_context)).Guided(3).Denoise(_noisy, Level);
        TensorAssert.Close((_noisy * 0.5) + (tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1, 1) * 3), guided, 1e-6, 1e-6, "guided");
        Assert.Equal(calls, string.Join(", ", network.Calls.Select(call => $"{call.Images} {call.Context}")));
    }

    [Fact]
    public void Guided_NegativeCondition_IsGuidedAwayFrom()
    {
        using var network = new LabelNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule, Parameterization.Image); // no null condition is needed
        var guided = denoiser.With(3).Guided(new GuidanceOptions { Scale = 2 }, Condition.OfLabels(1)).Denoise(_noisy, Level);
        TensorAssert.Close((_noisy * 0.5) + (-0.15 + (2 * (0.35 + 0.15))), guided, 1e-6, 1e-6, "guided");
        Assert.Equal([3, 3, 3, 1, 1, 1], Assert.Single(network.Labels));
    }

    [Fact]
    public void With_LabelsAndContext_AreBothGiven()
    {
        using var network = new BothNetwork();
        var none = Condition.OfLabels(9).And(Condition.OfContext(zeros(1, 5, 7)));
        var denoiser = new NetworkDenoiser(network, _schedule, Parameterization.Image, none);
        TensorAssert.Close(_noisy + 3.2, denoiser.With(3).With(Condition.OfContext(_context[1..2])).Denoise(_noisy, Level), 1e-6, 1e-6, "both");
        TensorAssert.Close(_noisy + 3, denoiser.With(3).Denoise(_noisy, Level), 1e-6, 1e-6, "label alone: the null context");
        TensorAssert.Close(_noisy + 9, denoiser.Denoise(_noisy, Level), 1e-6, 1e-6, "nothing");
        var guided = denoiser.With(3).With(Condition.OfContext(_context[1..2])).Guided(2).Denoise(_noisy, Level);
        TensorAssert.Close(_noisy + (9 + (2 * (3.2 - 9))), guided, 1e-5, 1e-5, "guided");
    }

    [Fact]
    public void Trainer_NullConditionOfAPart_IsRefused()
    {
        using var network = new BothNetwork();
        network.register_parameter("scale", new TorchSharp.Modules.Parameter(ones(1)));
        var none = Condition.OfLabels(9);
        Assert.Contains("a label and a context", Assert.Throws<ArgumentException>(() => new Trainer(network, _schedule, nullCondition: none)).Message, StringComparison.Ordinal);
        using var trainer = new Trainer(network, _schedule, objective: new() { ConditionDropout = 0 }, nullCondition: none);
        Assert.Equal(0, trainer.StepsDone);
    }

    [Fact]
    public void Sample_GuidedByLabels_GivesEachSampleTheSameAloneAsTogether()
    {
        using var network = new LabelNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule, Parameterization.Image, Condition.OfLabels(4));
        var sampler = new DdpmSampler(5);
        var together = sampler.Sample(denoiser.With(0, 1, 2).Guided(2), [3, 1, 4, 4], seed: 4);
        using var noise = new SeededNoise(4, firstImage: 1);
        var alone = sampler.SampleFrom(denoiser.With(1).Guided(2), [1, 1, 4, 4], noise);
        TensorAssert.Close(together[1..2], alone, 1e-6, 1e-6, "image 1");
    }

    [Fact]
    public void Predict_Conditions_LeaveNoTensorBehind()
    {
        using var network = new LabelNetwork(variance: true);
        var denoiser = new NetworkDenoiser(network, _schedule, nullCondition: Condition.OfLabels(4));
        using var contexts = new ContextNetwork();
        var other = new NetworkDenoiser(contexts, _schedule, Parameterization.Image, Condition.OfContext(zeros(1, 5, 7)));
        Leaks.None(() =>
        {
            denoiser.With(1, 2, 3).Denoise(_noisy, Level).Dispose();
            denoiser.Denoise(_noisy, Level).Dispose();
            denoiser.With(1).Guided(2).Limited(ImageLimit.Clip()).Predict(_noisy, Level).Dispose();
            new DdpmSampler(3).Sample(other.With(Condition.OfContext(_context)).Guided(2), [3, 1, 4, 4], seed: 4).Dispose();
        });
    }

    [Fact]
    public void Predict_WrongConditions_SaysWhatIsWrong()
    {
        using var network = new LabelNetwork();
        using var contexts = new ContextNetwork();
        using var plain = new TinyNetwork();
        var denoiser = new NetworkDenoiser(network, _schedule);
        var other = new NetworkDenoiser(contexts, _schedule);
        Refused("2 labels were given for 3 samples", () => denoiser.With(1, 2).Denoise(_noisy, Level));
        Refused("labels[1] is -1", () => denoiser.With(0, -1));
        Refused("at least one", () => denoiser.With());
        Refused("Float32", () => Condition.OfLabels(ones(3)));
        Refused("[3, 1]", () => Condition.OfLabels(zeros(3, 1, dtype: ScalarType.Int64)));
        Refused("2 were given for 3 samples", () => other.With(Condition.OfContext(_context[..2])).Denoise(_noisy, Level));
        Refused("it has [5, 7]", () => Condition.OfContext(zeros(5, 7)));
        Refused("it has [3, 0, 7]", () => Condition.OfContext(zeros(3, 0, 7)));
        Refused("takes no labels; the condition is label 3", () => new NetworkDenoiser(plain, _schedule).With(3).Denoise(_noisy, Level));
        Refused("takes no context", () => denoiser.With(1).With(Condition.OfContext(_context)).Denoise(_noisy, Level));
        Refused("takes no labels", () => new NetworkDenoiser(plain, _schedule, nullCondition: Condition.OfLabels(1)));
        Refused("shape [1, L, D]", () => new NetworkDenoiser(contexts, _schedule, nullCondition: Condition.OfContext(_context)));
        Refused("one label", () => new NetworkDenoiser(network, _schedule, nullCondition: Condition.OfLabels(1, 2)));
        Refused("stack", () => Condition.Stack(Condition.OfLabels(1), Condition.None).And(Condition.OfLabels(1)));
        Refused("2 parts", () => denoiser.Predict(_noisy, Level, Condition.Stack(Condition.OfLabels(1), Condition.OfLabels(2))));
        Assert.Contains("denoiser.With(3)", Assert.Throws<InvalidOperationException>(() => denoiser.Denoise(_noisy, Level)).Message, StringComparison.Ordinal);
        Assert.Contains("OfContext", Assert.Throws<InvalidOperationException>(() => other.Denoise(_noisy, Level)).Message, StringComparison.Ordinal);

        static void Refused(string part, Func<object> action) => Assert.Contains(part, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    /// <summary>The network with one label for all images.</summary>
    private sealed class BoundNetwork(LabelNetwork network, long label) : nn.Module<Tensor, Tensor, Tensor>(nameof(BoundNetwork))
    {
        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var labels = full([images.shape[0]], label, ScalarType.Int64);
            return network.Predict(images, timesteps, labels, null);
        }
    }

    /// <summary>The image plus its label plus the mean of its context.</summary>
    private sealed class BothNetwork() : nn.Module<Tensor, Tensor, Tensor>(nameof(BothNetwork)), IConditionalNetwork
    {
        public bool TakesLabels => true;

        public bool TakesContext => true;

        public override Tensor forward(Tensor images, Tensor timesteps) => throw new InvalidOperationException("A condition is needed.");

        public Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels, Tensor? context)
        {
            using var scope = NewDisposeScope();
            return (noisy + labels!.to(ScalarType.Float32).view(-1, 1, 1, 1) + context!.mean([1, 2]).view(-1, 1, 1, 1)).MoveToOuterDisposeScope();
        }
    }
}
