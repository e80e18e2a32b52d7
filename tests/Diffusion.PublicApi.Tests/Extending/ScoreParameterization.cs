namespace Diffusion.PublicApi.Tests;

/// <summary>The network predicts the score ∇ ln p(x_t) = −ε/σ (arXiv:2011.13456): x̂₀ = (x_t + σ²·score)/α.</summary>
internal sealed class ScoreParameterization : Parameterization
{
    public override string Name => "score";

    public override PredictionCoefficients At(NoiseLevel level) =>
        new(Skip: 1 / level.Alpha, Out: level.Sigma * level.Sigma / level.Alpha, In: 1);
}
