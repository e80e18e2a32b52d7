using System.Reflection;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Every denoiser around every other one: values, calls of the network, and what is passed on. A new one must be added here.</summary>
public sealed class WrapperPairTests : IDisposable
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    private static readonly LinearNoiseSchedule s_schedule = new();

    private static readonly Tensor s_noisy = Normal.Of(1, 3, 2, 4, 4).DetachFromDisposeScope(); // whichever test is first

    /// <summary>
    /// How each is made, what it makes of the prediction of the denoiser that it wraps, given one for any condition, and how many predictions it asks for.
    /// Guidance asks twice, in one call.
    /// </summary>
    private static readonly Dictionary<string, Wrapper> s_wrappers = new()
    {
        ["ConditionedDenoiser"] = new(inner => inner.With(1), (inner, condition) => inner(condition ?? Condition.OfLabels(1))),
        ["LimitedDenoiser"] = new(inner => inner.Limited(ImageLimit.Clip(0.9)), (inner, condition) => inner(condition).clamp(-0.9, 0.9)),
        ["PrecisionDenoiser"] = new(inner => inner.In(ComputePrecision.Float32), (inner, condition) => inner(condition)),
        ["GuidedDenoiser"] = new(inner => inner.With(2).Guided(3), (inner, condition) => Guided(inner(condition ?? Condition.OfLabels(2)), inner(Condition.None))),
        ["ClassifierGuidedDenoiser"] = new(
            inner => inner.ClassifierGuided((noisy, _) => noisy * 0.3, 2), (inner, condition) => inner(condition) + (s_noisy * (0.3 * 2 * 0.36 / 0.8))),
        ["AveragedDenoiser"] = new(null, (inner, condition) => inner(condition)),
    };

    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string, string> Pairs()
    {
        var pairs = new TheoryData<string, string>();
        foreach (var outer in s_wrappers.Where(each => each.Value.Make is not null))
        {
            foreach (var inner in s_wrappers)
            {
                pairs.Add(outer.Key, inner.Key);
            }
        }

        return pairs;
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Wrappers_OfTheLibrary_AreAllHere() => Assert.Equal(
        typeof(IDenoiser).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IDenoiser)) && type is { IsClass: true, IsAbstract: false } && type != typeof(NetworkDenoiser)).Select(type => type.Name).Order(),
        s_wrappers.Keys.Order());

    [Fact]
    public void Wrappers_OfTheLibrary_DeriveFromOneBase() => Assert.All(
        typeof(IDenoiser).Assembly.GetTypes().Where(type => s_wrappers.ContainsKey(type.Name)), type => Assert.Equal(typeof(DelegatingDenoiser), type.BaseType));

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Predict_APair_HasTheValuesOfBothAndOneCall(string outer, string inner)
    {
        using var network = new LabelNetwork(variance: true);
        using var trainer = Trainer(network);
        var (denoiser, expected) = Pair(outer, inner, trainer);
        var estimate = Normal.Of(5, 3, 2, 4, 4);

        var prediction = denoiser.Predict(s_noisy, Level, null, estimate);

        TensorAssert.Close(expected(null), prediction.Image, 2e-5, 2e-5, $"{outer} around {inner}");
        Assert.NotNull(prediction.Variance);
        Assert.Single(network.Labels);

        // A condition that the call names comes first, through both.
        var named = denoiser.Predict(s_noisy, Level, Condition.OfLabels(3), estimate);
        TensorAssert.Close(expected(Condition.OfLabels(3)), named.Image, 2e-5, 2e-5, $"{outer} around {inner}, label 3");
        Assert.Equal(2, network.Labels.Count);
        Assert.Same(s_schedule, denoiser.Schedule);
        Assert.Equal(CPU.ToString(), denoiser.Device.ToString());
        Assert.Equal(Bound(outer) ?? Bound(inner), denoiser.Condition.Labels?[0]);
    }

    /// <summary>Guidance around a pair asks both conditions of both in one call.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Guided_APair_IsOneCallOfTheNetwork(string outer, string inner)
    {
        using var network = new LabelNetwork();
        using var trainer = Trainer(network);
        var (denoiser, expected) = Pair(outer, inner, trainer);
        var guided = denoiser.With(0).Guided(3).Denoise(s_noisy, Level);
        TensorAssert.Close(Guided(expected(Condition.OfLabels(0)), expected(Condition.None)), guided, 5e-5, 5e-5, $"guidance around {outer} around {inner}");
        Assert.Single(network.Labels);
    }

    /// <summary>A run has one call a step, hands the newest estimate to the network, and leaves network and averages as they were.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Sample_APair_HandsTheEstimateOn(string outer, string inner)
    {
        using var network = new EstimateNetwork();
        using var trainer = Trainer(network, selfConditioning: true);
        var (denoiser, _) = Pair(outer, inner, trainer);
        new DdimSampler(4).Sample(denoiser, [2, 1, 4, 4], seed: 1).Dispose();
        Assert.Equal([false, true, true, true], network.Estimates);
        Assert.True(network.training);
    }

    private static double? Bound(string name) => name switch { "ConditionedDenoiser" => 1, "GuidedDenoiser" => 2, _ => null };

    private static Tensor Guided(Tensor better, Tensor worse) => worse + ((better - worse) * 3);

    private static Trainer Trainer(nn.Module<Tensor, Tensor, Tensor> network, bool selfConditioning = false) => new(
        network, s_schedule, parameterization: Parameterization.Image, objective: new() { SelfConditioning = selfConditioning ? 0.5 : null }, nullCondition: Condition.OfLabels(4));

    private static (IDenoiser Denoiser, Func<Condition?, Tensor> Expected) Pair(string outer, string inner, Trainer trainer)
    {
        var (first, second) = (s_wrappers[inner], s_wrappers[outer]);
        var denoiser = second.Make!(first.Make is null ? trainer.Ema : first.Make(trainer.Denoiser));
        return (denoiser, condition => second.Expected(asked => first.Expected(Network, asked), condition));

        // The network that LabelNetwork is: half the image plus a number of the label, the null label where there is none.
        Tensor Network(Condition? condition) => (s_noisy * 0.5) + (-0.4 + (0.25 * (condition?.Labels?[0] ?? 4)));
    }

    private sealed record Wrapper(Func<IDenoiser, IDenoiser>? Make, Func<Func<Condition?, Tensor>, Condition?, Tensor> Expected);

    /// <summary>Notes whether it was given an estimate. Takes labels, and ignores them.</summary>
    private sealed class EstimateNetwork : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
    {
        private readonly TorchSharp.Modules.Parameter _scale = new(full([1], 0.5));

        public EstimateNetwork()
            : base(nameof(EstimateNetwork)) => RegisterComponents();

        public List<bool> Estimates { get; } = [];

        public bool TakesLabels => true;

        public bool TakesContext => false;

        public override Tensor forward(Tensor images, Tensor timesteps) => throw new InvalidOperationException("Labels are needed.");

        public Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels, Tensor? context)
        {
            using var scope = NewDisposeScope();
            Estimates.Add(noisy.narrow(1, 0, 1).abs().sum().item<float>() > 0);
            return (noisy.narrow(1, 1, 1) * _scale).MoveToOuterDisposeScope();
        }
    }
}
