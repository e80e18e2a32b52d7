namespace Diffusion.Benchmarks;

/// <summary>What the scaling study runs.</summary>
internal enum ScalingKind
{
    /// <summary>A train step of the reference network.</summary>
    TrainStep = 0,

    /// <summary>A reverse step of the reference network.</summary>
    ReverseStep = 1,

    /// <summary>Images made from start to end by a small network in few steps.</summary>
    Sampling = 2,
}
