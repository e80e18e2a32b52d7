namespace Diffusion;

/// <summary>The optimizers.</summary>
public enum OptimizerKind
{
    /// <summary>Adam; weight decay, if any, is added to the gradient.</summary>
    Adam = 0,

    /// <summary>Adam with decoupled weight decay.</summary>
    AdamW = 1,
}
