using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The arithmetic that all samplers share: coefficients in double precision, then one weighted sum of tensors.</summary>
internal static class StepMath
{
    /// <summary>e^(λ_from − λ_to) = σ_to·α_from/(α_to·σ_from): the factor by which σ/α falls. 0 from pure noise and to the clean image.</summary>
    public static double Shrink(NoiseLevel from, NoiseLevel to) => to.Sigma * from.Alpha / (to.Alpha * from.Sigma);

    /// <summary>ε̂ = (x − α·x̂₀)/σ.</summary>
    public static Tensor NoiseOf(Tensor noisy, Tensor image, NoiseLevel level) => Sum((1 / level.Sigma, noisy), (-level.Alpha / level.Sigma, image));

    /// <summary>
    /// The exact solution between two levels for constant x̂₀: (σ_to/σ_from)·x + (α_to − α_from·σ_to/σ_from)·x̂₀.
    /// DDIM, Euler and the first order of every exponential integrator are this formula.
    /// </summary>
    /// <remarks>Denoising Diffusion Implicit Models, arXiv:2010.02502, Eq. 12 with σ = 0; DPM-Solver++, arXiv:2211.01095, Eq. 9.</remarks>
    public static Tensor FirstOrder(Tensor noisy, Tensor image, NoiseLevel from, NoiseLevel to)
    {
        var share = to.Sigma / from.Sigma;
        return Sum((share, noisy), (to.Alpha - (from.Alpha * share), image));
    }

    /// <summary>From one level to another along a constant ε̂: (α_to/α_from)·x + (σ_to − α_to·σ_from/α_from)·ε̂.</summary>
    public static Tensor AlongNoise(Tensor noisy, Tensor noise, NoiseLevel from, NoiseLevel to)
    {
        var share = to.Alpha / from.Alpha;
        return Sum((share, noisy), (to.Sigma - (share * from.Sigma), noise));
    }

    /// <summary>
    /// Divides a step into a deterministic one to a level with less noise than <paramref name="to"/>, and noise of standard deviation Added that brings it up to it.
    /// </summary>
    /// <param name="from">The noisier level.</param>
    /// <param name="to">The less noisy level.</param>
    /// <param name="eta">η: 0 for no fresh noise, 1 for as much as ancestral sampling adds, more up to replacing all noise.</param>
    /// <returns>The level to step to and the noise to add.</returns>
    /// <remarks>arXiv:2010.02502, Eq. 16, between any two levels.</remarks>
    public static (NoiseLevel Down, double Added) Ancestral(NoiseLevel from, NoiseLevel to, double eta)
    {
        var shrink = Shrink(from, to);
        var fresh = eta == 0 ? 0 : double.IsPositiveInfinity(eta) ? 1 : Math.Min(1, eta * Math.Sqrt(Math.Max(0, 1 - (shrink * shrink))));
        return (new NoiseLevel(to.Alpha, to.Sigma * Math.Sqrt(1 - (fresh * fresh)), to.Timestep), to.Sigma * fresh);
    }

    /// <summary>Forward diffusion from one level to a noisier one.</summary>
    public static Tensor Renoise(Tensor noisy, NoiseLevel from, NoiseLevel to, Tensor noise)
    {
        var share = to.Alpha / from.Alpha;
        return Sum((share, noisy), (Math.Sqrt((to.Sigma * to.Sigma) - (share * share * from.Sigma * from.Sigma)), noise));
    }

    /// <summary>The weighted sum of tensors of one shape. Terms of weight 0 are left out, also where they are not finite.</summary>
    public static Tensor Sum(params ReadOnlySpan<(double Weight, Tensor Value)> terms)
    {
        Tensor? sum = null;
        foreach (var (weight, value) in terms)
        {
            if (weight == 0)
            {
                continue;
            }

            using var factor = weight.ToScalar();
            sum = sum is null ? value * factor : sum.add_(value, alpha: factor);
        }

        return sum ?? zeros_like(terms[0].Value);
    }

    /// <summary>A position in [0, 1] that grows with the noise, for noise sources that follow a path: 2/π·atan(σ/α).</summary>
    public static double Clock(NoiseLevel level) => Math.Atan2(level.Sigma, level.Alpha) * 2 / Math.PI;

    /// <summary>In the type of the state: samplers that compute in Float64 call it for other tensors.</summary>
    public static Tensor Like(Tensor state, Tensor value) => value.dtype == state.dtype ? value : value.to(state.dtype);

    /// <summary>The second function of exponential integrators, (e^(−h) − 1)/h + 1, without loss of digits near 0; at −h it serves the form in ε.</summary>
    public static double Phi2(double h) => h switch
    {
        double.PositiveInfinity => 1,
        < 1e-4 and > -1e-4 => (h / 2) - (h * h / 6) + (h * h * h / 24),
        _ => (Expm1(-h) / h) + 1,
    };

    /// <summary>The third, Phi2(h)/h − ½.</summary>
    public static double Phi3(double h) => h switch
    {
        double.PositiveInfinity => -0.5,
        < 1e-3 and > -1e-3 => (-h / 6) + (h * h / 24) - (h * h * h / 120),
        _ => (Phi2(h) / h) - 0.5,
    };

    /// <summary>e^x − 1 without loss of digits near 0.</summary>
    public static double Expm1(double x) => Math.Abs(x) < 1e-5 ? x + (x * x / 2) + (x * x * x / 6) : Math.Exp(x) - 1;
}
