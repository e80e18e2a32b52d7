using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// The probability flow in z = x/√(α² + σ²) over w = −2·arsinh(√(α/σ)): dz/dw = g·(c·z − x̂₀), g = √(c·(c + n)), with c = α/√(α² + σ²) and n = σ/√(α² + σ²).
/// In y = x/α and s = σ/α it is dy/ds = (y − x̂₀)/s for every schedule. The divergence is g·c·D, which has an integral in closed form, minus g times the trace of ∂x̂₀/∂z.
/// </summary>
/// <remarks>
/// Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, Eq. 4 with s(t) = 1, for y; Score-Based Generative Modeling through Stochastic Differential
/// Equations, arXiv:2011.13456, Eq. 39 and 40. In z and w neither end is singular: z keeps its size, and g is 0 at pure noise, where the denoiser is not asked.
/// </remarks>
internal sealed class FlowSlope(IDenoiser denoiser, TraceProbes probes, ScalarType type)
{
    private readonly bool _usesEstimate = DenoiserRun.UsesEstimate(denoiser) == true;

    /// <summary>How often the denoiser was evaluated; backward passes are not counted.</summary>
    public int Evaluations { get; private set; }

    /// <summary>dz/dw, and what the trace contributes to it.</summary>
    /// <param name="state">z, [B, …], Float64.</param>
    /// <param name="level">Where.</param>
    /// <returns>The slope of z, [B, …], and g·tr(∂x̂₀/∂z), [B], Float64, for the caller to dispose.</returns>
    public (Tensor Slope, Tensor Trace) At(Tensor state, NoiseLevel level)
    {
        var (image, noise) = (level.Alpha / level.Scale, level.Sigma / level.Scale);
        var speed = Math.Sqrt(image * (image + noise));
        if (speed == 0)
        {
            return (zeros_like(state), zeros(state.shape[0], ScalarType.Float64, state.device));
        }

        using var scope = NewDisposeScope();
        using var scale = level.Scale.ToScalar();
        using var kept = (speed * image).ToScalar();
        using var taken = (-speed).ToScalar();
        using var share = (speed * level.Scale * probes.Weight).ToScalar(); // ∂x̂₀/∂z = √(α² + σ²)·∂x̂₀/∂x
        var (clean, trace) = Differentiate((state * scale).to(type), level);
        return ((state * kept).add(clean.to(ScalarType.Float64), alpha: taken).MoveToOuterDisposeScope(), (trace * share).MoveToOuterDisposeScope());
    }

    /// <summary>x̂₀ and Σ ⟨direction, ∂x̂₀/∂x · direction⟩ of each image.</summary>
    private (Tensor Clean, Tensor Products) Differentiate(Tensor noisy, NoiseLevel level)
    {
        BackwardPass.Failure = null;
        try
        {
            using var gradients = enable_grad();
            using var precision = MixedPrecision.Use(ComputePrecision.Float32);
            using var wanted = InputGradients.Want();
            var input = noisy.detach().requires_grad_(true);
            var clean = Predict(input, level);
            return (clean.detach(), Products(clean, input));
        }
        catch (ExternalException) when (BackwardPass.Failure is { } failure)
        {
            throw new InvalidOperationException(FormattableString.Invariant($"The derivative of the denoiser at timestep {level.Timestep} failed: {failure.Message}"), failure);
        }
    }

    private Tensor Predict(Tensor input, NoiseLevel level)
    {
        // With self-conditioning the network sees its own estimate, as in the variational bound: x̂₀ is then a function of x alone.
        var estimate = _usesEstimate ? denoiser.Predict(input, level).Image : null;
        var clean = denoiser.Predict(input, level, estimate: estimate).Image;
        Evaluations += _usesEstimate ? 2 : 1;
        Guard.SameShape(input, clean);
        return clean.requires_grad
            ? clean
            : throw new InvalidOperationException("The denoiser's x̂₀ has no gradient with respect to x_t: it must not turn gradients off or detach its input.");
    }

    private Tensor Products(Tensor clean, Tensor input)
    {
        var sum = zeros(input.shape[0], ScalarType.Float64, input.device);
        for (var i = 0; i < probes.Directions.Count; i++)
        {
            using var step = NewDisposeScope();
            var direction = probes.Directions[i];
            var product = i + 1 < probes.Directions.Count
                ? GraphGradients.KeptOf([clean], [input], direction)[0]
                : GraphGradients.Of([clean], [input], direction)[0];
            sum.add_((product.to(ScalarType.Float64) * direction.to(ScalarType.Float64)).flatten(1).sum([1]), alpha: Scalars.One); // [B, …] → [B]
        }

        return sum.detach();
    }
}
