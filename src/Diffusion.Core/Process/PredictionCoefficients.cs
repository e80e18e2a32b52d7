namespace Diffusion;

/// <summary>What a network's output means at one noise level: <c>x̂₀ = Skip·x_t + Out·network(In·x_t)</c>.</summary>
/// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, Eq. 7.</remarks>
/// <param name="Skip">The weight of the noisy image.</param>
/// <param name="Out">The weight of the network's output, not 0.</param>
/// <param name="In">The factor on the network's input.</param>
public readonly record struct PredictionCoefficients(double Skip, double Out, double In);
