namespace Diffusion;

/// <summary>The form of the second order of <see cref="DpmSolverSampler"/>. <c>solver_type</c> in diffusers.</summary>
public enum DpmSolverType
{
    /// <summary>The midpoint rule.</summary>
    Midpoint,

    /// <summary>Heun's method.</summary>
    Heun,
}
