using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ContextDenoiserTests : IDisposable
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly LinearNoiseSchedule _schedule = new();
    private readonly ContextNetwork _network = new();
    private readonly Tensor _noisy = Normal.Of(1, 3, 2, 4, 4);
    private readonly Tensor _context = tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1).expand(3, 5, 7);

    public void Dispose()
    {
        _network.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void With_ContextAnImage_GivesEachImageItsOwn()
    {
        var denoiser = new ContextDenoiser(_network, _schedule, Parameterization.Image);
        TensorAssert.Close((_noisy * 0.5) + tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1, 1), denoiser.With(_context).Denoise(_noisy, Level), 1e-6, 1e-6, "each");
        TensorAssert.Close((_noisy * 0.5) + 0.2, denoiser.With(_context[1..2]).Denoise(_noisy, Level), 1e-6, 1e-6, "one for all");
    }

    [Fact]
    public void Predict_TrainingNetworkOfDoubles_RunsInItsTypeInEvaluationWithoutGradients()
    {
        _network.to(ScalarType.Float64).train();
        Assert.Equal(ScalarType.Float32, new ContextDenoiser(_network, _schedule).With(_context).Denoise(_noisy, Level).dtype);
        Assert.Equal(("3×2×4×4", "3×5×7", ScalarType.Float64, false, false), Assert.Single(_network.Calls));
        Assert.True(_network.training);
    }

    [Fact]
    public void Guided_SameLength_IsOneCall()
    {
        var denoiser = new ContextDenoiser(_network, _schedule, Parameterization.Image, nullContext: zeros(1, 5, 7));
        var guided = denoiser.Guided(_context, 3).Denoise(_noisy, Level);
        TensorAssert.Close((_noisy * 0.5) + (tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1, 1) * 3), guided, 1e-6, 1e-6, "guided");
        Assert.Equal("6×2×4×4 6×5×7", string.Join(", ", _network.Calls.Select(call => $"{call.Images} {call.Context}")));
    }

    [Fact]
    public void Guided_OtherLength_IsTwoCallsWithTheSameResult()
    {
        var denoiser = new ContextDenoiser(_network, _schedule, Parameterization.Image, nullContext: zeros(1, 2, 7));
        var guided = denoiser.Guided(_context, 3).Denoise(_noisy, Level);
        TensorAssert.Close((_noisy * 0.5) + (tensor(new[] { 0.1f, 0.2f, 0.3f }).view(3, 1, 1, 1) * 3), guided, 1e-6, 1e-6, "guided");
        Assert.Equal("3×2×4×4 3×5×7, 3×2×4×4 3×2×7", string.Join(", ", _network.Calls.Select(call => $"{call.Images} {call.Context}")));
    }

    [Fact]
    public void PredictWith_ContextOfAnotherNetwork_IsRefused()
    {
        using var other = new ContextNetwork();
        var one = Assert.IsAssignableFrom<IBatchedDenoiser>(new ContextDenoiser(_network, _schedule).With(_context));
        var two = new ContextDenoiser(other, _schedule).With(_context);
        Assert.False(one.CanPredictWith(two));
        Assert.Throws<ArgumentException>(() => one.PredictWith(two, _noisy, Level));
    }

    [Fact]
    public void Sample_Guided_LeavesNoTensorBehind()
    {
        using var empty = zeros(1, 5, 7);
        var denoiser = new ContextDenoiser(_network, _schedule, Parameterization.Image, empty);
        Leaks.None(() => new DdpmSampler(3).Sample(denoiser.Guided(_context, 2), [3, 1, 4, 4], seed: 4).Dispose());
    }

    [Fact]
    public void With_BadContexts_SaysWhatIsWrong()
    {
        var denoiser = new ContextDenoiser(_network, _schedule);
        Assert.Contains("2 were given for a batch of shape [3, 2, 4, 4]", Assert.Throws<ArgumentException>(() => denoiser.With(_context[..2]).Denoise(_noisy, Level)).Message, StringComparison.Ordinal);
        Assert.Contains("it has [5, 7]", Assert.Throws<ArgumentException>(() => denoiser.With(zeros(5, 7))).Message, StringComparison.Ordinal);
        Assert.Contains("it has [3, 0, 7]", Assert.Throws<ArgumentException>(() => denoiser.With(zeros(3, 0, 7))).Message, StringComparison.Ordinal);
        Assert.Contains("nullContext", Assert.Throws<InvalidOperationException>(() => denoiser.Unconditional).Message, StringComparison.Ordinal);
        Assert.Contains("[1, L, D]; it has [2, 5, 7]", Assert.Throws<ArgumentException>(() => new ContextDenoiser(_network, _schedule, nullContext: zeros(2, 5, 7))).Message, StringComparison.Ordinal);
    }
}
